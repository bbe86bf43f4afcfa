import math
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.workstation


@pytest.fixture
def shown() -> Callable[..., Any]:
    """Labels on show during a clip of jazz."""
    from benchmarks.accuracy.stream import ShownLabels

    return lambda *labels: ShownLabels("jazz", labels)


def test_the_time_to_the_right_label_counts_from_the_change(shown: Callable[..., Any]) -> None:
    assert shown("pop", "pop", "jazz", "jazz").seconds_to_correct == 1.5
    assert math.isinf(shown("pop", None).seconds_to_correct)


@pytest.mark.parametrize(
    ("labels", "flips"),
    [
        (("pop", "jazz", "jazz"), 0),  # the one change that the new clip requires
        (("pop", "jazz", "pop", "jazz"), 2),
        (("jazz", None, "jazz"), 0),  # a pause is not another label
    ],
)
def test_flips_are_changes_that_nothing_requires(
    shown: Callable[..., Any], labels: tuple[str | None, ...], flips: int
) -> None:
    assert shown(*labels).flips == flips
