"""Thresholds of a model: its temperature, and the confidence below which a clip is `unknown`."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.arrays import FloatArray
from edge.decision import calibrate
from edge.model.card import Thresholds
from train.corpus.dataset import Dataset
from train.evaluation.metrics import fit_temperature
from train.evaluation.predictions import SidePredictions, file_level

# Share of the music clips that may get no label, so that fewer labels are wrong and fewer noises get one.
REFUSED_MUSIC = 0.03
COVERAGE_THRESHOLDS = tuple(i / 10 for i in range(10))
CoveragePoint = dict[str, float | None]


def choose_thresholds(predictions: SidePredictions, dataset: Dataset, defaults: Thresholds) -> Thresholds:
    """Set the temperature and `unknown_below` for given predictions; the other values stay as in `defaults`.

    `unknown_below` is the highest value at which no more than REFUSED_MUSIC of the music clips get no label; without a
    class of what is not music it stays.
    """
    listening = predictions.listening
    temperature = fit_temperature(listening.probabilities, predictions.labels[listening.clips])
    if not dataset.not_music:
        return replace(defaults, temperature=temperature)
    confidence, _ = confidences(predictions, dataset, temperature)
    unknown_below = float(np.quantile(confidence, REFUSED_MUSIC, method="lower"))
    return replace(defaults, temperature=temperature, unknown_below=math.floor(1000 * unknown_below) / 1000)


def confidences(
    predictions: SidePredictions, dataset: Dataset, temperature: float
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Confidence of each music clip as a file, and whether its label is right.

    Returns
    -------
    confidence : ndarray, (clips,)
        Calibrated probability of the label; 0 if the clip is taken for what is not music.
    right : ndarray of bool, (clips,)
    """
    of_files = file_level(predictions)
    truth = predictions.labels[of_files.clips]
    is_music = np.array([label not in dataset.not_music for label in dataset.labels])
    probabilities = calibrate(of_files.probabilities, temperature)[is_music[truth]]
    predicted = probabilities.argmax(axis=1)
    return np.where(is_music[predicted], probabilities.max(axis=1), 0), predicted == truth[is_music[truth]]


def coverage_curve(predictions: SidePredictions, dataset: Dataset, thresholds: Thresholds) -> list[CoveragePoint]:
    """Share of the music that gets a label, and the accuracy of these labels, by the threshold for `unknown`."""
    confidence, right = confidences(predictions, dataset, thresholds.temperature)
    curve: list[CoveragePoint] = []
    for threshold in sorted({*COVERAGE_THRESHOLDS, thresholds.unknown_below}):
        labelled = confidence >= max(threshold, 1e-9)
        accuracy = round(float(right[labelled].mean()), 4) if labelled.any() else None
        share = round(float(labelled.mean()), 4)
        curve.append({"threshold": threshold, "coverage": share, "accuracy": accuracy, "clips": int(labelled.sum())})
    return curve
