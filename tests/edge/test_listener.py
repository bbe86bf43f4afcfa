import gc
import inspect
import sys

import numpy as np
import pytest
from helpers.support import CountingNetwork, stream_card, synthesise
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.answer import Answer
from edge.arrays import FloatArray
from edge.errors import UsageError
from edge.listener import Listener
from edge.model.load import load_model
from edge.model.streaming import StreamModel

RATE = 22_050
HOP_SECONDS = 0.5
MUSIC = synthesise(6.5, RATE, 1)[: 6 * RATE]  # whole hops


def listen(*blocks: FloatArray, rate: int = RATE) -> list[Answer]:
    """The answers to a whole stream."""
    listener = Listener(load_model(), rate)
    answers = [answer for block in blocks for answer in listener.process(block)]
    return answers + listener.flush()


def outcome(answers: list[Answer]) -> list[tuple[object, ...]]:
    """Everything in the answers but their times."""
    return [(a.state, a.label, a.confidence, a.top) for a in answers]


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(0, len(MUSIC)), max_size=6))
def test_the_answers_do_not_depend_on_the_block_boundaries(cuts: list[int]) -> None:
    whole, pieces = listen(MUSIC), listen(*np.split(MUSIC, sorted(cuts)))
    assert [(a.time, a.state, a.label) for a in pieces] == [(a.time, a.state, a.label) for a in whole]
    assert pieces[-1].confidence == pytest.approx(whole[-1].confidence, abs=1e-4)


def test_a_block_is_processed_although_its_answers_are_not_used() -> None:
    used, unused = Listener(load_model(), RATE), Listener(load_model(), RATE)
    for block in np.split(MUSIC, 12):
        list(used.process(block))
        unused.process(block)
    assert unused.summary() == used.summary()
    assert unused.summary().time == 6.0


def test_a_block_is_processed_exactly_once_if_its_answers_are_not_all_read() -> None:
    """A generator that is left early would hear the rest of the block never, or a second time."""
    networks = CountingNetwork(), CountingNetwork()
    all_read, one_read = (Listener(StreamModel(stream_card(), network), RATE) for network in networks)
    for answer in all_read.process(MUSIC):
        assert answer.time
    for answer in one_read.process(MUSIC):
        assert answer.time == HOP_SECONDS
        break
    assert len(networks[0].calls) == len(networks[1].calls) > 0
    assert [answer.time for answer in one_read.process(MUSIC[: RATE // 2])] == [6.5]


def test_answers_are_a_list() -> None:
    listener = Listener(load_model(), RATE)
    assert not inspect.isgenerator(listener.process(MUSIC[:RATE]))
    assert len(listener.process(MUSIC[:RATE])) == 2
    assert isinstance(listener.flush(), list)


def test_music_after_a_silence_is_answered_as_if_nothing_had_preceded() -> None:
    silence = np.zeros((RATE * 10, 1), np.float32)
    alone, after = listen(MUSIC), listen(MUSIC, silence, MUSIC)
    assert {a.state for a in after[14:32]} == {"silence"}
    assert outcome(after[-len(alone) :]) == outcome(alone)


def test_the_network_is_not_run_in_silence() -> None:
    network = CountingNetwork()
    listener = Listener(StreamModel(stream_card(), network), RATE)
    listener.process(MUSIC)
    silence = np.zeros((RATE // 2, 1), np.float32)
    listener.process(silence)  # it may be a pause: silence begins after one second
    assert (before := len(network.calls)) > 0
    answers = [answer for _ in range(600) for answer in listener.process(silence)]
    assert {answer.state for answer in answers} == {"silence"}
    assert len(network.calls) == before
    listener.process(MUSIC[: RATE // 2])
    assert len(network.calls) > before


def test_a_quiet_night_does_not_change_what_the_network_hears_next() -> None:
    network = CountingNetwork()
    listener = Listener(StreamModel(stream_card(), network), RATE)
    listener.process(MUSIC)
    first, network.calls = network.calls, []
    night = np.random.default_rng(0).normal(0, 1e-5, (60 * RATE, 1)).astype(np.float32)
    listener.process(night)
    network.calls = []
    listener.process(MUSIC)
    assert len(network.calls) == len(first)
    for inputs, expected in zip(network.calls, first, strict=True):
        np.testing.assert_array_equal(inputs, expected)


def test_music_after_a_gap_is_answered_as_if_nothing_had_preceded() -> None:
    listener = Listener(load_model(), RATE)
    first = listener.process(MUSIC)
    assert listener.gap(3.0, RATE, "unplugged") == Answer(9.0, "lost", lost=3.0, note="unplugged")
    assert outcome(listener.process(MUSIC)) == outcome(first)


def test_music_after_a_short_gap_is_continued() -> None:
    listener = Listener(load_model(), RATE)
    listener.process(MUSIC)
    assert listener.gap(0.5, RATE).time == 6.5
    assert listener.process(MUSIC)[0].state != "warming"


def test_many_short_gaps_in_a_row_are_a_long_one() -> None:
    listener = Listener(load_model(), RATE)
    listener.process(MUSIC)
    for _ in range(3):
        listener.gap(0.5, RATE)
    assert listener.process(MUSIC)[0].state == "warming"


def test_a_source_may_come_back_at_another_rate() -> None:
    listener = Listener(load_model(), RATE)
    listener.process(MUSIC)
    listener.gap(3.0, 48_000)
    answers = listener.process(synthesise(6.0, 48_000, 2))
    assert answers[-1].time == 14.5  # the last hop is still in the resampler, which needs the samples that follow


@pytest.mark.parametrize("rate", [RATE, 48_000])  # the latter with samples that wait in the resampler
def test_the_incomplete_hop_before_a_gap_counts_as_lost_time(rate: int) -> None:
    listener = Listener(load_model(), rate)
    listener.process(synthesise(1.0, rate, 1)[: round(0.8 * rate)])
    assert listener.gap(2.0, rate).time == pytest.approx(2.8, abs=1e-4)


def test_the_time_is_that_of_the_source_at_any_rate() -> None:
    assert listen(synthesise(6.0, 48_000, 2), rate=48_000)[-1].time == pytest.approx(6.0, abs=1e-3)


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_flush_ends_the_stream_once(rate: int) -> None:
    listener = Listener(load_model(), rate)
    listener.process(synthesise(2.0, rate, 1)[: round(1.2 * rate)])
    assert listener.flush()[-1].time == pytest.approx(1.2, abs=1e-4)
    assert listener.flush() == []
    listener.process(synthesise(1.0, rate, 1))
    assert listener.flush()[-1].time == pytest.approx(2.2, abs=1e-3)


@pytest.mark.parametrize("hop", [0.0, 0.01, -1.0, 61.0, float("nan"), float("inf")])
def test_a_hop_out_of_range_is_refused(hop: float) -> None:
    with pytest.raises(UsageError, match=r"^hop .*: must be from 0\.046 to 60 s with this model$"):
        Listener(load_model(), RATE, hop)


def test_memory_does_not_grow_with_time() -> None:
    """Python's blocks of memory after 1 min and after 10 min, at every length that the pending buffers come to."""
    listener = Listener(load_model(), 48_000)
    blocks = np.resize(synthesise(6.5, 48_000, 1), (13, 24_000, 1))

    def allocated_after(seconds: int) -> int:
        for hop in range(2 * seconds):
            listener.process(blocks[hop % len(blocks)])
        gc.collect()
        return sys.getallocatedblocks()

    early = allocated_after(60)
    assert allocated_after(540) - early < 10
