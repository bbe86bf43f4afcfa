import dataclasses

import numpy as np
import pytest
from helpers.support import THRESHOLDS, floats, stream_card
from hypothesis import given
from hypothesis import strategies as st

from edge.answer import Answer
from edge.arrays import FloatArray
from edge.decision import DIGITAL_SILENCE_DBFS, MUTED, Decision, calibrate, level_dbfs

LOUD = -20.0  # dBFS
HOP = 0.5


def decision(**thresholds: float) -> Decision:
    settings = {"warm_up_seconds": 1.0, "smoothing_seconds": 1.0, "switch_margin": 0.1} | thresholds
    return Decision(stream_card(thresholds=dataclasses.replace(THRESHOLDS, **settings)))


def p(calm: float, loud: float, other: float = 0.0) -> FloatArray:
    return np.array([calm, loud, other], np.float32)


def update(d: Decision, probabilities: FloatArray | None, level: float = LOUD) -> Answer:
    return d.update(HOP, level, probabilities, 9.0)


def after(d: Decision, probabilities: FloatArray | None, seconds: float, level: float = LOUD) -> Answer:
    answers = [update(d, probabilities, level) for _ in range(round(seconds / HOP))]
    return answers[-1]


def test_an_answer_is_weighted_by_its_context() -> None:
    """Two wrong answers with 1 s of context each, and a right one with 3 s, which is the full weight."""
    d = decision(ripe_seconds=3.0, warm_up_seconds=0.0)
    for probabilities, context_seconds in ((p(0.8, 0.2), 1.0), (p(0.8, 0.2), 1.0), (p(0.2, 0.8), 3.0)):
        d.update(HOP, LOUD, probabilities, context_seconds)
    assert d.summary(None).label == "loud"
    for _ in range(2):
        d.update(HOP, LOUD, p(0.8, 0.2), 99.0)
    assert d.summary(None).label == "calm"


def test_the_first_label_comes_after_the_warm_up() -> None:
    d = decision()
    assert update(d, p(0.9, 0.1)).state == "warming"
    answer = update(d, p(0.9, 0.1))
    assert (answer.state, answer.label, answer.time) == ("music", "calm", 1.0)
    assert [label for label, _ in answer.top] == ["calm", "loud", "other"]


def test_a_short_outlier_does_not_change_the_label() -> None:
    d = decision(smoothing_seconds=2.0)
    after(d, p(0.9, 0.1), 10)
    assert after(d, p(0.0, 1.0), 0.5).label == "calm"


def test_a_lasting_change_is_shown() -> None:
    d = decision()
    after(d, p(0.9, 0.1), 10)
    assert after(d, p(0.1, 0.9), 3).label == "loud"


def test_two_equally_probable_labels_do_not_alternate() -> None:
    d = decision()
    shown = {update(d, p(0.5 + wobble, 0.5 - wobble)).label for wobble in np.resize([0.04, -0.04], 100)}
    assert len(shown - {None}) == 1


def test_sound_without_music_has_no_label() -> None:
    answer = after(decision(), p(0.2, 0.1, 0.7), 2)
    assert (answer.state, answer.label) == ("other", None)
    assert answer.confidence == pytest.approx(0.7)


def test_below_the_threshold_the_label_is_unknown() -> None:
    answer = after(decision(unknown_below=0.6), p(0.55, 0.45), 2)
    assert (answer.state, answer.label) == ("unknown", None)


def test_a_second_of_quiet_is_silence_and_forgets_the_music_before_it() -> None:
    d = decision()
    after(d, p(0.9, 0.1), 5)
    assert update(d, p(0.9, 0.1), -90.0).state == "music"
    assert update(d, p(0.9, 0.1), -90.0).state == "silence"
    assert update(d, p(0.1, 0.9)).state == "warming"
    assert update(d, p(0.1, 0.9)).label == "loud"


def test_silence_is_predicted_before_the_model_is_run() -> None:
    d = decision()
    after(d, p(0.9, 0.1), 5)
    assert not d.silent_after(HOP, -90.0)
    update(d, None, -90.0)
    assert d.silent_after(HOP, -90.0)
    assert not d.silent_after(HOP, LOUD)
    assert not d.silent
    update(d, None, -90.0)
    assert d.silent


def test_a_gap_is_reported_and_forgets_the_music_before_it() -> None:
    d = decision()
    after(d, p(0.9, 0.1), 5)
    assert d.lost(2.0, forget=True, why="unplugged") == Answer(7.0, "lost", lost=2.0, note="unplugged")
    assert update(d, p(0.1, 0.9)).state == "warming"


def test_lost_time_counts_in_the_time_of_every_later_answer() -> None:
    d = decision()
    d.lost(2.0, forget=True, why=None)
    answers = (after(d, p(0.9, 0.1), 1), d.lost(0.5, forget=False, why=None))
    assert [(a.time, a.lost) for a in answers] == [(3.0, 2.0), (3.5, 2.5)]


def test_exact_zeros_are_distinguished_from_a_quiet_room() -> None:
    quiet, muted = decision(), decision()
    in_quiet, in_muted = after(quiet, None, 6, -120.0), after(muted, None, 6, DIGITAL_SILENCE_DBFS)
    assert (in_quiet.state, in_quiet.note) == ("silence", None)
    assert (in_muted.state, in_muted.note) == ("silence", MUTED)


def test_raw_answers_show_the_model_itself_from_the_first_hop_on() -> None:
    d = Decision(stream_card(), raw=True)
    assert [update(d, p(*pair)).label for pair in ((0.55, 0.45), (0.45, 0.55), (0.52, 0.48))] == [
        "calm",
        "loud",
        "calm",
    ]


def test_the_summary_is_the_mean_of_all_answers() -> None:
    d = decision()
    after(d, p(0.9, 0.1), 2)
    after(d, p(0.2, 0.8), 1)
    assert d.summary(None).label == "calm"


def test_the_summary_of_a_short_stream_is_the_early_output_of_the_model() -> None:
    d = decision()
    update(d, None)
    assert d.summary(p(0.1, 0.9)).label == "loud"
    assert d.summary(None).state == "warming"


def test_the_summary_of_silence_is_silence() -> None:
    d = decision()
    after(d, None, 3, -90.0)
    assert d.summary(None).state == "silence"


@given(st.lists(floats(0.001, 1), min_size=2, max_size=10), floats(0.2, 5))
def test_calibration_keeps_the_order_and_the_sum(values: list[float], temperature: float) -> None:
    probabilities = np.array(values, np.float32) / np.float32(sum(values))
    calibrated = calibrate(probabilities, temperature)
    assert calibrated.sum() == pytest.approx(1, abs=1e-4)
    assert np.all(np.diff(calibrated[np.argsort(probabilities)]) >= -1e-6)


def test_the_level_of_a_full_scale_square_wave_is_0_dbfs() -> None:
    assert level_dbfs(np.array([1, -1] * 100, np.float32)) == pytest.approx(0)
    assert level_dbfs(np.zeros(100, np.float32)) < -150
