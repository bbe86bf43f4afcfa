"""Accuracy with its uncertainty, confusion, recall and calibration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, recall_score

from edge.arrays import FloatArray
from edge.decision import calibrate

RESAMPLES = 2000
ECE_BINS = 15
MIN_PROBABILITY = 1e-7
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """A share of n independent observations with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Measurement:
    """Accuracy of predictions with its 95 % interval, and further metrics of them."""

    accuracy: float
    low: float
    high: float
    n: int
    per: str  # "segment" or "track"
    tracks: int
    recall: dict[str, float | None]  # per class; None if the side has none of it
    confusion: list[list[int]]  # rows are true classes, columns predicted ones, in the order of the labels
    expected_calibration_error: float


def measure(
    probabilities: FloatArray, truth: Labels, tracks: Labels, labels: tuple[str, ...], per: str, seed: int
) -> Measurement:
    """Measure predictions against the truth.

    Tracks are independent of each other, segments of one track are not: the interval is Wilson's per track, and a
    bootstrap over whole tracks per segment.

    Parameters
    ----------
    probabilities
        (n, labels).
    truth, tracks
        Class and track of each prediction, (n,).
    labels
        Names of the classes.
    per
        "segment" or "track".
    seed
        Seed of the bootstrap.
    """
    predicted = probabilities.argmax(axis=1)
    right = predicted == truth
    if per == "track":
        share = share_with_interval(int(right.sum()), len(right))
        low, high = share.low, share.high
    else:
        low, high = cluster_bootstrap(right, tracks, seed)
    classes = range(len(labels))
    recalls = recall_score(truth, predicted, labels=classes, average=None, zero_division=np.nan)
    return Measurement(
        accuracy=round(float(right.mean()), 4),
        low=round(low, 4),
        high=round(high, 4),
        n=len(right),
        per=per,
        tracks=len(set(tracks.tolist())),
        recall={
            label: None if np.isnan(recall) else round(float(recall), 4)
            for label, recall in zip(labels, recalls, strict=True)
        },
        confusion=confusion_matrix(truth, predicted, labels=classes).tolist(),
        expected_calibration_error=round(calibration_error(probabilities, truth), 4),
    )


def share_with_interval(count: int, n: int) -> Share:
    """Share `count / n` with its 95 % interval (Wilson 1927).

    Raises
    ------
    ValueError
        If n is 0.

    Examples
    --------
    >>> share = share_with_interval(8, 10)
    >>> print(f"{share.value} [{share.low:.3f}, {share.high:.3f}]")
    0.8 [0.490, 0.943]
    """
    low, high = binomtest(count, n).proportion_ci(confidence_level=0.95, method="wilson")
    return Share(count / n, float(low), float(high), n)


def cluster_bootstrap(values: NDArray[np.generic], tracks: Labels, seed: int) -> tuple[float, float]:
    """95 % interval of a mean over segments, by drawing whole tracks with replacement (Efron's percentiles).

    Parameters
    ----------
    values, tracks
        Value and track of each segment, (n,).
    seed
        Seed of the draws.

    Returns
    -------
    low, high : float
    """
    _, owner = np.unique(tracks, return_inverse=True)
    sums, counts = np.bincount(owner, values), np.bincount(owner)
    drawn = np.random.default_rng(seed).integers(len(counts), size=(RESAMPLES, len(counts)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def calibration_error(probabilities: FloatArray, truth: Labels) -> float:
    """Expected calibration error of (n, labels) predictions of the classes (n,).

    The mean gap between confidence and accuracy over ECE_BINS bins of confidence (Guo et al. 2017).
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(bins, confidence.astype(np.float64) - right, ECE_BINS)
    return float(np.abs(gaps).sum() / len(truth))


def fit_temperature(probabilities: FloatArray, truth: Labels) -> float:
    """Fit the temperature of `edge.decision.calibrate` by negative log-likelihood, between 0.1 and 10.

    Parameters
    ----------
    probabilities
        (n, labels).
    truth
        Class of each prediction, (n,).
    """

    def loss(log_temperature: float) -> float:
        chosen = calibrate(probabilities, float(np.exp(log_temperature)))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chosen, MIN_PROBABILITY)).mean())

    best = minimize_scalar(loss, bounds=(np.log(0.1), np.log(10)), method="bounded")
    return round(float(np.exp(best.x)), 3)
