import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision import calibrate
from train.evaluation.metrics import (
    calibration_error,
    cluster_bootstrap,
    fit_temperature,
    measure,
    share_with_interval,
)

pytestmark = pytest.mark.workstation

# Right clips, clips and interval, as published in the READMEs.
PUBLISHED = [
    (385, 520, (0.701, 0.776)),
    (55, 133, (0.333, 0.499)),
    (440, 653, (0.637, 0.709)),
    (119, 160, (0.671, 0.805)),
    (138, 197, (0.633, 0.760)),
]
LABELS = ("a", "b", "c", "d")


def wilson_formula(count: int, n: int) -> tuple[float, float]:
    """Wilson's interval written out, with the quantile of 1.959964 that all published intervals were computed with."""
    z, share = 1.959964, count / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def test_the_interval_of_a_share_is_that_of_newcombes_tables() -> None:
    share = share_with_interval(8, 10)
    assert (share.value, share.n) == (0.8, 10)
    assert (share.low, share.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize(("count", "n", "interval"), PUBLISHED)
def test_published_intervals_stay_as_they_are(count: int, n: int, interval: tuple[float, float]) -> None:
    share = share_with_interval(count, n)
    assert (round(share.low, 3), round(share.high, 3)) == interval


CASES = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(CASES)
def test_an_interval_equals_wilsons_formula(case: tuple[int, int]) -> None:
    share = share_with_interval(*case)
    assert (share.low, share.high) == pytest.approx(wilson_formula(*case), abs=1e-7)


@given(CASES)
def test_an_interval_contains_its_share(case: tuple[int, int]) -> None:
    share = share_with_interval(*case)
    assert 0 <= share.low <= share.value + 1e-12
    assert share.value - 1e-12 <= share.high <= 1


def test_segments_of_a_track_are_not_independent() -> None:
    """Twenty tracks all right or all wrong: the interval is that of twenty, not of two hundred."""
    tracks = np.repeat(np.arange(20), 10)
    right = tracks % 2 == 0
    low, high = cluster_bootstrap(right, tracks, 0)
    assert high - low > 0.35


def test_accuracy_confusion_and_recall_are_counted() -> None:
    probabilities = np.eye(3, dtype=np.float32)[[0, 0, 1, 1]]
    measurement = measure(probabilities, np.array([0, 0, 0, 1]), np.arange(4), ("a", "b", "c"), "track", 0)
    assert measurement.accuracy == 0.75
    assert measurement.confusion == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert measurement.recall == {"a": 0.6667, "b": 1.0, "c": None}
    assert (measurement.n, measurement.tracks) == (4, 4)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_recall_is_the_diagonal_of_the_confusion_over_its_row(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs).T
    measurement = measure(np.eye(4, dtype=np.float32)[predicted], truth, np.arange(len(truth)), LABELS, "track", 0)
    confusion = np.zeros((4, 4), int)
    np.add.at(confusion, (truth, predicted), 1)
    assert measurement.confusion == confusion.tolist()
    rows = confusion.sum(axis=1)
    expected = {c: round(float(confusion[i, i] / rows[i]), 4) if rows[i] else None for i, c in enumerate(LABELS)}
    assert measurement.recall == expected


def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1]], np.float32)
    assert calibration_error(probabilities, np.array([0, 1])) == pytest.approx(0.4, abs=1e-6)


def test_the_temperature_of_an_overconfident_network_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(5, p=row) for row in probabilities])
    overconfident = calibrate(probabilities.astype(np.float32), 1 / 2.5)
    assert fit_temperature(overconfident.astype(np.float32), truth) == pytest.approx(2.5, rel=0.1)


def test_calibration_keeps_the_label() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]], np.float32)
    calibrated = calibrate(probabilities, 3.0)
    np.testing.assert_array_equal(calibrated.argmax(axis=1), probabilities.argmax(axis=1))
    np.testing.assert_allclose(calibrated.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(calibrate(probabilities, 1.0), probabilities, atol=1e-5)  # it has a floor of 1e-6
