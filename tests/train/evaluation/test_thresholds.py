import dataclasses

import numpy as np
import pytest
from helpers.predictions import SIX, corpus, predictions_of, sure
from hypothesis import given
from hypothesis import strategies as st

from train.evaluation.predictions import SidePredictions
from train.evaluation.report import coverage_table
from train.evaluation.thresholds import REFUSED_MUSIC, choose_thresholds, confidences, coverage_curve
from train.recipes import THRESHOLDS

pytestmark = pytest.mark.workstation


def test_confidence_is_zero_for_music_taken_for_what_is_not_music() -> None:
    confidence, right = confidences(SIX, corpus(SIX), 1.0)
    np.testing.assert_allclose(confidence, [0.95, 0.75, 0.65, 0.55, 0.85, 0], atol=1e-5)
    assert right.tolist() == [True, True, False, True, True, False]


def test_coverage_counts_labelled_and_right_clips() -> None:
    curve = coverage_curve(SIX, corpus(SIX), dataclasses.replace(THRESHOLDS, unknown_below=0.7))
    assert [point["threshold"] for point in curve] == [i / 10 for i in range(10)]
    counted = {0.0: (5, 4), 0.5: (5, 4), 0.6: (4, 3), 0.7: (3, 3), 0.8: (2, 2), 0.9: (1, 1)}
    for point in curve:
        if point["threshold"] in counted:
            labelled, right = counted[point["threshold"]]
            assert point["clips"] == labelled
            assert point["coverage"] == pytest.approx(labelled / 6, abs=1e-4)
            assert point["accuracy"] == pytest.approx(right / labelled, abs=1e-4)


def test_the_threshold_of_the_card_is_on_the_curve() -> None:
    curve = coverage_curve(SIX, corpus(SIX), dataclasses.replace(THRESHOLDS, unknown_below=0.666))
    assert [p for p in curve if p["threshold"] == 0.666] == [
        {"threshold": 0.666, "coverage": 0.5, "accuracy": 1.0, "clips": 3}
    ]
    assert len(coverage_table(curve).splitlines()) == 12


def test_a_threshold_that_no_clip_reaches_has_no_accuracy() -> None:
    """None, as in recall: NaN is not JSON."""
    unsure = predictions_of([sure(0.5)] * 3, [0, 0, 0])
    curve = coverage_curve(unsure, corpus(unsure), THRESHOLDS)
    assert curve[-1] == {"threshold": 0.9, "coverage": 0.0, "accuracy": None, "clips": 0}
    assert coverage_table(curve)


@st.composite
def music(draw: st.DrawFn) -> SidePredictions:
    """Predictions on music and some noise, without music that is taken for noise."""
    rows = draw(st.lists(st.tuples(st.floats(0.4, 0.99), st.integers(0, 1)), min_size=1, max_size=150))
    probabilities = [sure(confidence, label) for confidence, label in rows] + [sure(0.8, 2)] * 3
    truth = draw(st.lists(st.integers(0, 1), min_size=len(rows), max_size=len(rows)))
    return predictions_of(probabilities, [*truth, 2, 2, 2])


@given(music())
def test_coverage_falls_with_the_threshold(found: SidePredictions) -> None:
    shares = [p["coverage"] for p in coverage_curve(found, corpus(found), THRESHOLDS)]
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)


def refused(found: SidePredictions) -> float:
    """The share of music that gets no label with the thresholds that are chosen for these predictions."""
    thresholds = choose_thresholds(found, corpus(found), THRESHOLDS)
    confidence, _ = confidences(found, corpus(found), thresholds.temperature)
    return float(np.mean(confidence < thresholds.unknown_below))


@given(music())
def test_at_most_the_allowed_share_of_music_is_refused(found: SidePredictions) -> None:
    assert refused(found) <= REFUSED_MUSIC


def test_the_allowed_share_of_music_is_refused() -> None:
    rng = np.random.default_rng(0)
    probabilities = [
        sure(confidence, int(label))
        for confidence, label in zip(rng.uniform(0.4, 0.99, 1000), [0, 1] * 500, strict=True)
    ]
    found = predictions_of(probabilities, [0, 1] * 500)
    assert refused(found) == pytest.approx(REFUSED_MUSIC, abs=0.005)


def test_unknown_below_is_zero_if_more_music_is_missed_than_may_be_refused() -> None:
    found = predictions_of([sure(0.9)] * 90 + [sure(0.9, 2)] * 10, [0] * 100)
    assert choose_thresholds(found, corpus(found), THRESHOLDS).unknown_below == 0


def test_unknown_below_is_zero_without_a_class_of_what_is_not_music() -> None:
    found = predictions_of([sure(0.9), sure(0.6, 1)], [0, 1])
    assert choose_thresholds(found, corpus(found, not_music=()), THRESHOLDS).unknown_below == 0
