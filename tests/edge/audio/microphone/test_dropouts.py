"""Seconds heard and lost, from the arrival times of blocks."""

import pytest
from helpers.support import floats
from hypothesis import given
from hypothesis import strategies as st

from edge.audio.microphone.dropouts import DRIFT, MAX_GROWTH_SECONDS, WINDOW_SECONDS, DropoutClock
from edge.audio.source import LOST_SECONDS

BLOCK = 0.1


def deliver(clock: DropoutClock, start: float, blocks: int, late: float = 0.0, dropped: bool = False) -> float:
    """Add blocks that are all equally late; returns the seconds that count as lost."""
    return sum(clock.add_block(start + (i + 1) * BLOCK + late, BLOCK, dropped) for i in range(blocks))


def test_blocks_in_time_are_all_heard() -> None:
    clock = DropoutClock(0.0)
    assert deliver(clock, 0.0, 600) == 0
    assert clock.heard == pytest.approx(60)


def test_a_late_block_is_no_loss_if_later_ones_are_in_time() -> None:
    clock = DropoutClock(0.0)
    deliver(clock, 0.0, 50)
    assert sum(clock.add_block(6.5, BLOCK, False) for _ in range(15)) == 0
    assert deliver(clock, 6.5, 100) == 0


@pytest.mark.parametrize("seconds", [0.1, 1.0, 5.0])
def test_blocks_that_stay_later_than_before_are_a_loss(seconds: float) -> None:
    clock = DropoutClock(0.0)
    deliver(clock, 0.0, 50)
    assert deliver(clock, 5.0, 50, late=seconds) == pytest.approx(seconds, abs=0.01)


def test_a_reported_overrun_counts_however_short_it_is() -> None:
    clock = DropoutClock(0.0)
    deliver(clock, 0.0, 50)
    assert deliver(clock, 5.0, 50, late=0.02, dropped=True) == pytest.approx(0.02, abs=0.005)


def test_a_slow_crystal_is_no_loss() -> None:
    clock = DropoutClock(0.0)
    slow = 1 + DRIFT / 2
    assert sum(clock.add_block((i + 1) * BLOCK * slow, BLOCK, False) for i in range(36_000)) < 0.001


def test_a_device_slower_than_any_crystal_loses_audio() -> None:
    clock = DropoutClock(0.0)
    slow = 1.05
    lost = sum(clock.add_block((i + 1) * BLOCK * slow, BLOCK, False) for i in range(6000))
    assert lost == pytest.approx(0.05 * 600, rel=0.05)


def test_time_without_blocks_is_lost_only_once() -> None:
    clock = DropoutClock(0.0)
    deliver(clock, 0.0, 10)
    assert [clock.skip_to(now) for now in (3.0, 3.5)] == pytest.approx([2.0, 0.5])
    assert deliver(clock, 5.0, 100) == pytest.approx(1.5)


events = st.lists(
    st.one_of(
        st.tuples(st.just("sound"), floats(0.5, 30)),
        st.tuples(st.just("away"), floats(LOST_SECONDS, 100)),
        st.tuples(st.just("dropped"), floats(MAX_GROWTH_SECONDS * 1.5, 20)),
        st.tuples(st.just("stall"), floats(0.01, LOST_SECONDS)),
    ),
    max_size=20,
)


@given(events, floats(0, 0.03))
def test_heard_and_lost_seconds_add_up_to_the_time(events: list[tuple[str, float]], jitter: float) -> None:
    clock = DropoutClock(0.0)
    now = 0.0
    for kind, seconds in [*events, ("sound", 2 * WINDOW_SECONDS + 1)]:
        if kind == "away":
            for step in range(1, 11):
                clock.skip_to(now + seconds * step / 10)
            now += seconds
        elif kind == "dropped":
            now += seconds
        else:
            blocks = max(1, round(seconds / BLOCK))
            for i in range(blocks):
                arrival = blocks if kind == "stall" else i + 1
                clock.add_block(now + arrival * BLOCK + jitter * (i % 3), BLOCK, False)
            now += blocks * BLOCK
    assert clock.heard + clock.lost == pytest.approx(now, rel=0.01, abs=0.2)
