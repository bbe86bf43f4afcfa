"""Segments that answers become, and the times at which they begin."""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest
from helpers.history_files import BEGIN, music
from helpers.support import floats
from hypothesis import given
from hypothesis import strategies as st

from edge.answer import STATES, Answer
from edge.history.segments import CLOCK_STEP_SECONDS, Segment, SegmentBuilder

DEVICE = "a microphone"
MILLISECONDS = 0.005


def build(answers: Iterable[Answer], times: Iterable[float], device: str = DEVICE) -> list[Segment]:
    """The finished segments of answers that come at the given times since BEGIN; the first is that of the start."""
    clock = iter(times)
    builder = SegmentBuilder(lambda: BEGIN + next(clock))
    segments = {}
    for answer in answers:
        if segment := builder.add(answer, device):
            segments[segment.number] = segment
    return [segments[number] for number in sorted(segments)]


def changing(hop: float, count: int, hops_per_label: int) -> list[Answer]:
    """Answers whose label changes every few hops."""
    return [music(f"label {i // hops_per_label}", hop * (i + 1)) for i in range(count)]


def real_time(answers: list[Answer]) -> Iterator[float]:
    """Zero, and the moments at which the audio of the answers is over."""
    return itertools.chain([0.0], (answer.time for answer in answers))


def overlaps(segments: list[Segment]) -> list[float]:
    """Seconds by which each segment begins before the end of the one before."""
    return [a.began + a.seconds - b.began for a, b in itertools.pairwise(segments)]


# Contents


def test_equal_answers_are_one_segment_with_the_mean_confidence_over_time() -> None:
    answers = [music("jazz", 1, 0.5), music("jazz", 2, 0.5), music("jazz", 4, 0.9)]
    (segment,) = build(answers, real_time(answers))
    assert (segment.began, segment.seconds) == (BEGIN, 4)
    assert (segment.state, segment.label, segment.device) == ("music", "jazz", DEVICE)
    assert segment.confidence == pytest.approx(0.7)


def test_another_state_or_label_is_another_segment() -> None:
    answers = [music("jazz", 1), music("rock", 2), Answer(3, "silence"), Answer(5, "lost"), music("jazz", 6)]
    segments = build(answers, real_time(answers))
    assert [(segment.label or segment.state, segment.seconds) for segment in segments] == [
        ("jazz", 1),
        ("rock", 1),
        ("silence", 1),
        ("lost", 2),
        ("jazz", 1),
    ]


def test_another_device_is_another_segment() -> None:
    builder = SegmentBuilder()
    one, two = builder.add(music("jazz", 1), "one"), builder.add(music("jazz", 2), "two")
    assert one is not None
    assert two is not None
    assert (one.device, two.device) == ("one", "two")
    assert two.number == one.number + 1


def test_warming_up_is_not_a_segment() -> None:
    answers = [Answer(3, "warming"), music("jazz", 4), Answer(5, "warming"), music("jazz", 6)]
    segments = build(answers, real_time(answers))
    assert [(segment.began - BEGIN, segment.seconds) for segment in segments] == [(3, 1), (5, 1)]


def test_undecodable_bytes_of_a_device_name_are_replaced() -> None:
    (segment,) = build([music("jazz", 1)], [0, 1], "mic \udcff")
    assert segment.device == "mic ?"


answer_lists = st.lists(
    st.tuples(
        floats(0, 60),
        st.sampled_from([(s, None) for s in STATES if s != "music"] + [("music", s) for s in ("jazz", "rock")]),
        floats(0, 1),
        st.sampled_from([0, 0, 0, 0, 1e8, -1e8]),
    ),
    max_size=40,
)


@given(answer_lists)
def test_the_seconds_add_up_to_those_of_the_answers(
    steps: list[tuple[float, tuple[str, str | None], float, float]],
) -> None:
    answers, times, expected = [], [0.0], defaultdict(float)
    time, jumped = 0.0, 0.0
    for seconds, (state, label), confidence, jump in steps:
        time, jumped = time + seconds, jumped + jump
        answers.append(Answer(time, state, label, confidence))
        times.append(time + jumped)
        if state != "warming":
            expected[state, label] += seconds
    total = defaultdict(float)
    for segment in build(answers, times):
        assert segment.seconds >= 0
        assert -1e-9 <= segment.confidence <= 1 + 1e-9
        total[segment.state, segment.label] += segment.seconds
    assert total == pytest.approx(expected)


# Begin


@pytest.mark.parametrize("hop", [0.05, 0.5, 5.0, 60.0])
def test_live_segments_begin_by_the_wall_clock(hop: float) -> None:
    answers = changing(hop, 2000, 7)
    rng = random.Random(0)
    late = [rng.uniform(0.02, 0.025) for _ in answers]  # the time that an answer takes
    times = [0.0, *(answer.time + delay for answer, delay in zip(answers, late, strict=True))]
    for segment, began in zip(build(answers, times), itertools.count(0, 7 * hop), strict=False):
        assert segment.began - BEGIN - 0.02 == pytest.approx(began, abs=MILLISECONDS)


@pytest.mark.slow
def test_live_segments_follow_the_wall_clock_although_the_sound_cards_clock_is_fast() -> None:
    answers = changing(0.5, 200_000, 20)  # 28 hours
    times = [0.0, *(answer.time * (1 - 300e-6) for answer in answers)]
    last = build(answers, times)[-1]
    assert last.began - BEGIN == pytest.approx(times[-20] - 0.5, abs=MILLISECONDS)


def test_live_segments_follow_the_wall_clock_again_after_a_stall() -> None:
    answers = changing(0.5, 2000, 4)
    # The answers of seconds 100 to 103 come all at once.
    times = [0.0, *(103.0 if 100 < answer.time < 103 else answer.time for answer in answers)]
    assert build(answers, times)[-1].began - BEGIN == answers[-1].time - 2.0


@pytest.mark.parametrize("speed", [2.0, 100.0, 1e5])
@pytest.mark.parametrize("hop", [0.5, 30.0, 60.0])
@pytest.mark.parametrize("hops_per_label", [1, 5])
def test_segments_of_a_file_are_laid_out_one_behind_the_other(hop: float, speed: float, hops_per_label: int) -> None:
    answers = changing(hop, 100, hops_per_label)
    segments = build(answers, (time / speed for time in real_time(answers)))
    assert overlaps(segments) == pytest.approx([0.0] * (len(segments) - 1), abs=1e-6)
    assert segments[0].began == pytest.approx(BEGIN - hop + hop / speed, abs=1e-6)
    assert sum(segment.seconds for segment in segments) == pytest.approx(100 * hop)
    assert len(segments) == 100 / hops_per_label


def test_a_pause_while_a_file_is_read_leads_to_no_overlap() -> None:
    answers = changing(0.5, 1000, 3)
    times = [0.0, *(0.001 * i + (40 if i > 500 else 0) for i in range(len(answers)))]
    segments = build(answers, times)
    assert max(overlaps(segments)) <= 1e-6
    assert sum(segment.seconds for segment in segments) == pytest.approx(500)


@pytest.mark.parametrize("jump", [-1e9, -86_400, -60, 60, 86_400, 1e9])
@pytest.mark.parametrize("hop", [0.5, 1.0, 5.0])
def test_a_clock_that_is_set_moves_what_follows_and_changes_no_length(jump: float, hop: float) -> None:
    answers = [music("jazz", hop * i) for i in range(1, 21)]
    before, after = build(answers, [0.0, *(hop * i + (jump if i > 10 else 0) for i in range(1, 21))])
    assert (before.began, before.seconds) == (BEGIN, 10 * hop)
    assert (after.began, after.seconds) == (BEGIN + jump + 10 * hop, 10 * hop)


def test_segments_after_a_clock_that_was_set_back_follow_it() -> None:
    answers = changing(0.5, 100, 10)
    segments = build(answers, [0.0, *(t if t <= 25 else t - 3600 for t in (answer.time for answer in answers))])
    assert [segment.began - BEGIN for segment in segments] == [0, 5, 10, 15, 20, *range(25 - 3600, 50 - 3600, 5)]


@pytest.mark.parametrize("seconds", [CLOCK_STEP_SECONDS - 1, CLOCK_STEP_SECONDS + 1])
def test_a_clock_that_is_set_forward_by_little_cuts_no_segment(seconds: float) -> None:
    segments = build([music("jazz", 1), music("jazz", 2)], [0, 1, 2 + seconds])
    assert len(segments) == (1 if seconds < CLOCK_STEP_SECONDS else 2)


def test_a_clock_that_is_moved_gently_cuts_no_segment() -> None:
    answers = [music("jazz", time) for time in range(1, 101)]
    (segment,) = build(answers, range(0, 300, 2))  # twice as fast as the audio
    assert segment.seconds == 100
