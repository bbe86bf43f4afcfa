import pytest

from edge.table import format_table


def test_columns_are_as_wide_as_their_longest_cell_and_lines_have_no_trailing_spaces() -> None:
    rows = [("model", "ms", "note"), ("a", "0.5", ""), ("model-int8", "12.25", "late")]
    assert format_table(rows, "<><").splitlines() == [
        "model          ms  note",
        "a             0.5",
        "model-int8  12.25  late",
    ]


def test_a_row_with_a_missing_cell_is_an_error() -> None:
    with pytest.raises(ValueError, match="every row must have 2 cells"):
        format_table([("a", "b"), ("c",)], "<<")
