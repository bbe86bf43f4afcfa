import gc
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from helpers.support import synthesise

from edge.answer import Answer
from edge.listener import Listener
from edge.errors import UsageError
from edge.arrays import FloatArray
from edge.model.load import load_model

RATE = 22_050
MUSIC = synthesise(6.5, RATE, 1)[: 6 * RATE]  # whole hops


def hear(*parts: FloatArray, rate: int = RATE) -> list[Answer]:
    listener = Listener(load_model(), rate)
    answers = [answer for part in parts for answer in listener.hear(part)]
    return answers + listener.finish()[0]


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(0, len(MUSIC)), max_size=6))
def test_the_answers_are_the_same_however_the_blocks_are_cut(cuts: list[int]) -> None:
    whole, pieces = hear(MUSIC), hear(*np.split(MUSIC, sorted(cuts)))
    assert [(a.t, a.state, a.label) for a in pieces] == [(a.t, a.state, a.label) for a in whole]
    assert pieces[-1].confidence == pytest.approx(whole[-1].confidence, abs=1e-4)


def test_what_plays_after_a_silence_is_heard_as_if_it_were_the_first() -> None:
    silence = np.zeros((RATE * 10, 1), np.float32)
    alone, after = hear(MUSIC), hear(MUSIC, silence, MUSIC)
    assert {a.state for a in after[14:32]} == {"silence"}
    assert [(a.state, a.top) for a in after[-len(alone) :]] == [(a.state, a.top) for a in alone]


def test_what_comes_after_a_gap_is_heard_as_if_it_were_the_first() -> None:
    listener = Listener(load_model(), RATE)
    first = list(listener.hear(MUSIC))
    assert listener.lost(3.0, RATE, "unplugged") == Answer(9.0, "lost", lost=3.0, note="unplugged")
    assert [(a.state, a.top) for a in listener.hear(MUSIC)] == [(a.state, a.top) for a in first]


def test_what_comes_after_a_short_gap_goes_on() -> None:
    listener = Listener(load_model(), RATE)
    list(listener.hear(MUSIC))
    assert listener.lost(0.5, RATE).t == 6.5
    assert next(listener.hear(MUSIC)).state != "warming"


def test_many_short_gaps_in_a_row_are_a_long_one() -> None:
    listener = Listener(load_model(), RATE)
    list(listener.hear(MUSIC))
    for _ in range(3):
        listener.lost(0.5, RATE)
    assert next(listener.hear(MUSIC)).state == "warming"


def test_a_source_may_come_back_at_another_rate() -> None:
    listener = Listener(load_model(), RATE)
    list(listener.hear(MUSIC))
    listener.lost(3.0, 48_000)
    *_, last = listener.hear(synthesise(6.0, 48_000, 2))
    assert last.t == 14.5  # the last hop is still in the resampler, which needs what comes next


def test_no_time_is_lost_with_the_beginning_of_a_hop_that_a_gap_interrupts() -> None:
    listener = Listener(load_model(), RATE)
    list(listener.hear(MUSIC[: round(0.8 * RATE)]))
    assert listener.lost(2.0, RATE).t == pytest.approx(2.8, abs=1e-4)


def test_the_time_is_that_of_the_source_at_any_rate() -> None:
    assert hear(synthesise(6.0, 48_000, 2), rate=48_000)[-1].t == pytest.approx(6.0, abs=1e-3)


@pytest.mark.parametrize("hop", [0.0, 0.01, -1.0, 61.0, float("nan"), float("inf")])
def test_a_hop_that_cannot_be_is_refused(hop: float) -> None:
    with pytest.raises(UsageError, match="--hop"):
        Listener(load_model(), RATE, hop)


def test_a_hop_leaves_nothing_behind() -> None:
    """Python's blocks of memory after 60 s and after 10 min, at every length that the pending buffers come to."""
    listener = Listener(load_model(), 48_000)
    blocks = np.resize(synthesise(6.5, 48_000, 1), (13, 24_000, 1))

    def allocated_after(seconds: int) -> int:
        for hop in range(2 * seconds):
            for _ in listener.hear(blocks[hop % len(blocks)]):
                pass
        gc.collect()
        return sys.getallocatedblocks()

    early = allocated_after(60)
    assert allocated_after(540) - early < 10
