"""Tables as text for a terminal."""

from collections.abc import Sequence

GAP = "  "


def format_table(rows: Sequence[Sequence[str]], align: str) -> str:
    """Lay out cells in columns that are as wide as their longest cell.

    Parameters
    ----------
    rows
        Rows of cells, all with the same number of columns; a heading is the first of them.
    align
        One character for each column: "<" for left, ">" for right.

    Returns
    -------
    One line for each row, without trailing spaces and without a newline at the end.

    Raises
    ------
    ValueError
        If a row has more or fewer cells than `align` has characters.

    Examples
    --------
    >>> print(format_table([("model", "ms"), ("float32", "0.69"), ("int8", "1.4")], "<>"))
    model      ms
    float32  0.69
    int8      1.4
    """
    if any(len(row) != len(align) for row in rows):
        raise ValueError(f"every row must have {len(align)} cells")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        GAP.join(f"{cell:{side}{width}}" for cell, side, width in zip(row, align, widths, strict=True)).rstrip()
        for row in rows
    )
