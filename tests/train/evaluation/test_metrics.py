import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision import calibrate
from train.evaluation.metrics import calibration_error, cluster_bootstrap, fit_temperature, measure, wilson


def test_wilson_of_a_known_case() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Newcombe's tables


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_its_share(case: tuple[int, int]) -> None:
    right, n = case
    low, high = wilson(right, n)
    assert 0 <= low <= right / n + 1e-12
    assert right / n - 1e-12 <= high <= 1


def test_segments_of_a_track_are_no_independent_witnesses() -> None:
    """Twenty tracks all right or all wrong: the interval is that of twenty, not of two hundred."""
    tracks = np.repeat(np.arange(20), 10)
    right = tracks % 2 == 0
    low, high = cluster_bootstrap(right, tracks, 0)
    assert high - low > 0.35


def test_measure_counts() -> None:
    said = np.eye(3, dtype=np.float32)[[0, 0, 1, 1]]
    measured = measure(said, np.array([0, 0, 0, 1]), np.arange(4), ("a", "b", "c"), "track", 0)
    assert measured.accuracy == 0.75
    assert measured.confusion == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert measured.recall == {"a": 0.6667, "b": 1.0, "c": None}
    assert (measured.n, measured.tracks) == (4, 4)


def test_calibration_error_of_the_sure_and_wrong() -> None:
    said = np.array([[0.9, 0.1], [0.9, 0.1]], np.float32)
    assert calibration_error(said, np.array([0, 1])) == pytest.approx(0.4, abs=1e-6)


def test_the_temperature_of_an_overconfident_network_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(5, p=row) for row in probabilities])
    overconfident = calibrate(probabilities.astype(np.float32), 1 / 2.5)
    assert fit_temperature(overconfident.astype(np.float32), truth) == pytest.approx(2.5, rel=0.1)


def test_tempering_keeps_the_answer() -> None:
    said = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]], np.float32)
    cooled = calibrate(said, 3.0)
    np.testing.assert_array_equal(cooled.argmax(axis=1), said.argmax(axis=1))
    np.testing.assert_allclose(cooled.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(calibrate(said, 1.0), said, atol=1e-5)  # it has a floor of 1e-6
