import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from helpers.support import floats, stream_card

from edge.model.card import Thresholds
from edge.decision import MUTED, DIGITAL_SILENCE_DBFS, Decision, calibrate, level_dbfs
from edge.answer import Answer
from edge.arrays import FloatArray

LOUD = -20.0


def decision(**thresholds: float) -> Decision:
    settings = {"warm_up_seconds": 1.0, "smoothing_seconds": 1.0, "switch_margin": 0.1} | thresholds
    return Decision(stream_card(thresholds=Thresholds(**settings)))


def p(calm: float, loud: float, other: float = 0.0) -> FloatArray:
    return np.array([calm, loud, other], np.float32)


def after(d: Decision, probabilities: FloatArray | None, seconds: float, level: float = LOUD) -> Answer:
    answers = [d.update(0.5, level, probabilities, 9.0) for _ in range(round(seconds / 0.5))]
    return answers[-1]


def test_an_answer_counts_for_as_long_as_it_has_listened() -> None:
    """Two wrong answers of a second each, and a right one of three; beyond what is ripe there is no more weight."""
    d = decision(ripe_seconds=3.0, warm_up_seconds=0.0)
    for probabilities, behind in ((p(0.8, 0.2), 1.0), (p(0.8, 0.2), 1.0), (p(0.2, 0.8), 3.0)):
        d.update(0.5, LOUD, probabilities, behind)
    assert d.final(None).label == "loud"
    for _ in range(2):
        d.update(0.5, LOUD, p(0.8, 0.2), 99.0)
    assert d.final(None).label == "calm"


def test_warms_up_then_says_what_is_playing() -> None:
    d = decision()
    assert d.update(0.5, LOUD, p(0.9, 0.1), 9.0).state == "warming"
    answer = d.update(0.5, LOUD, p(0.9, 0.1), 9.0)
    assert (answer.state, answer.label, answer.t) == ("music", "calm", 1.0)
    assert [label for label, _ in answer.top] == ["calm", "loud", "other"]


def test_a_short_outlier_changes_nothing() -> None:
    d = decision(smoothing_seconds=2.0)
    after(d, p(0.9, 0.1), 10)
    assert after(d, p(0.0, 1.0), 0.5).label == "calm"


def test_a_lasting_change_is_shown() -> None:
    d = decision()
    after(d, p(0.9, 0.1), 10)
    assert after(d, p(0.1, 0.9), 3).label == "loud"


def test_two_equal_labels_do_not_flicker() -> None:
    d = decision()
    shown = {d.update(0.5, LOUD, p(0.5 + wobble, 0.5 - wobble), 9.0).label for wobble in np.resize([0.04, -0.04], 100)}
    assert len(shown - {None}) == 1


def test_no_music_gets_no_label() -> None:
    answer = after(decision(), p(0.2, 0.1, 0.7), 2)
    assert (answer.state, answer.label) == ("other", None)
    assert answer.confidence == pytest.approx(0.7)


def test_below_the_threshold_the_label_is_unknown() -> None:
    answer = after(decision(unknown_below=0.6), p(0.55, 0.45), 2)
    assert (answer.state, answer.label) == ("unknown", None)


def test_silence_is_said_after_a_second_and_forgets_what_was() -> None:
    d = decision()
    after(d, p(0.9, 0.1), 5)
    assert d.update(0.5, -90.0, p(0.9, 0.1), 9.0).state == "music"
    assert d.update(0.5, -90.0, p(0.9, 0.1), 9.0).state == "silence"
    assert d.update(0.5, LOUD, p(0.1, 0.9), 9.0).state == "warming"
    assert d.update(0.5, LOUD, p(0.1, 0.9), 9.0).label == "loud"


def test_a_lost_source_is_said_and_forgotten() -> None:
    d = decision()
    after(d, p(0.9, 0.1), 5)
    assert d.lost(2.0, forget=True, why="unplugged") == Answer(7.0, "lost", lost=2.0, note="unplugged")
    assert d.update(0.5, LOUD, p(0.1, 0.9), 9.0).state == "warming"


def test_time_lost_stays_in_the_clock_and_in_every_answer() -> None:
    d = decision()
    d.lost(2.0, forget=True, why=None)
    assert [(a.t, a.lost) for a in (after(d, p(0.9, 0.1), 1), d.lost(0.5, forget=False, why=None))] == [
        (3.0, 2.0),
        (3.5, 2.5),
    ]


def test_exact_zeros_are_told_from_a_quiet_room() -> None:
    quiet, muted = decision(), decision()
    for _ in range(12):
        of_quiet, of_muted = quiet.update(0.5, -120.0, None, 0.0), muted.update(0.5, DIGITAL_SILENCE_DBFS, None, 0.0)
    assert (of_quiet.state, of_quiet.note) == ("silence", None)
    assert (of_muted.state, of_muted.note) == ("silence", MUTED)


def test_raw_shows_the_model_itself_from_the_first_hop_on() -> None:
    d = Decision(stream_card(), raw=True)
    seen = [d.update(0.5, LOUD, p(*pair), 9.0).label for pair in ((0.55, 0.45), (0.45, 0.55), (0.52, 0.48))]
    assert seen == ["calm", "loud", "calm"]


def test_the_final_answer_is_the_mean_of_all() -> None:
    d = decision()
    after(d, p(0.9, 0.1), 2)
    after(d, p(0.2, 0.8), 1)
    assert d.final(None).label == "calm"


def test_what_was_too_short_takes_the_models_last_word() -> None:
    d = decision()
    d.update(0.5, LOUD, None, 9.0)
    assert d.final(p(0.1, 0.9)).label == "loud"
    assert d.final(None).state == "warming"


def test_all_silence_is_silence_at_the_end() -> None:
    d = decision()
    after(d, None, 3, -90.0)
    assert d.final(None).state == "silence"


@given(st.lists(floats(0.001, 1), min_size=2, max_size=10), floats(0.2, 5))
def test_calibration_keeps_the_order_and_the_sum(values: list[float], temperature: float) -> None:
    probabilities = np.array(values, np.float32) / np.float32(sum(values))
    calibrated = calibrate(probabilities, temperature)
    assert calibrated.sum() == pytest.approx(1, abs=1e-4)
    assert np.all(np.diff(calibrated[np.argsort(probabilities)]) >= -1e-6)


def test_level_of_a_full_scale_square_wave_is_0_dbfs() -> None:
    assert level_dbfs(np.array([1, -1] * 100, np.float32)) == pytest.approx(0)
    assert level_dbfs(np.zeros(100, np.float32)) < -150
