"""How right a model is, and how sure one can be of that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from edge.decision import calibrate
from edge.frontend import FloatArray

Z_95 = 1.959964  # two-sided 95 % of the normal distribution
RESAMPLES = 2000
ECE_BINS = 15
LEAST_PROBABILITY = 1e-7
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Measured:
    """Accuracy with its 95 % interval, and what lies behind it."""

    accuracy: float
    low: float
    high: float
    n: int
    per: str  # "segment" or "track"
    tracks: int
    recall: dict[str, float | None]  # per class; None where the side has none of it
    confusion: list[list[int]]  # rows are the truth, columns the answer, in the order of the labels
    expected_calibration_error: float


def measure(said: FloatArray, truth: Labels, tracks: Labels, labels: tuple[str, ...], per: str, seed: int) -> Measured:
    """Measure answers (n, labels) against the truth (n,), each about one of `tracks` (n,).

    Tracks are independent of each other, segments of one track are not: the interval is Wilson's per track, and
    a bootstrap over whole tracks per segment.
    """
    right = said.argmax(axis=1) == truth
    low, high = wilson(int(right.sum()), len(right)) if per == "track" else cluster_bootstrap(right, tracks, seed)
    confusion = np.zeros((len(labels), len(labels)), int)
    np.add.at(confusion, (truth, said.argmax(axis=1)), 1)
    totals = confusion.sum(axis=1)
    recall = {label: round(confusion[i, i] / totals[i], 4) if totals[i] else None for i, label in enumerate(labels)}
    return Measured(
        accuracy=round(float(right.mean()), 4),
        low=round(low, 4),
        high=round(high, 4),
        n=len(right),
        per=per,
        tracks=len(set(tracks.tolist())),
        recall=recall,
        confusion=confusion.tolist(),
        expected_calibration_error=round(calibration_error(said, truth), 4),
    )


def wilson(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    share, z2 = right / n, Z_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def cluster_bootstrap(right: NDArray[np.bool_], tracks: Labels, seed: int) -> tuple[float, float]:
    """95 % interval of a mean over segments, by drawing whole tracks with replacement (Efron's percentiles)."""
    _, owner = np.unique(tracks, return_inverse=True)
    hits, counts = np.bincount(owner, right), np.bincount(owner)
    drawn = np.random.default_rng(seed).integers(len(counts), size=(RESAMPLES, len(counts)))
    means = hits[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def calibration_error(said: FloatArray, truth: Labels) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over bins of confidence (Guo et al. 2017)."""
    confidence, right = said.max(axis=1), said.argmax(axis=1) == truth
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(bins, confidence.astype(np.float64) - right, ECE_BINS)
    return float(np.abs(gaps).sum() / len(truth))


def fit_temperature(probabilities: FloatArray, truth: Labels) -> float:
    """The temperature of least negative log-likelihood, between 0.1 and 10."""

    def loss(log_temperature: float) -> float:
        chosen = calibrate(probabilities, float(np.exp(log_temperature)))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chosen, LEAST_PROBABILITY)).mean())

    best = minimize_scalar(loss, bounds=(np.log(0.1), np.log(10)), method="bounded")
    return round(float(np.exp(best.x)), 3)
