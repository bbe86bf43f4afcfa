"""Predictions without a network: of seven clips, for tests of everything that is computed from predictions."""

from pathlib import Path

import numpy as np
from helpers import datasets
from helpers.support import LABELS

from train.corpus.clips import Clip
from train.corpus.dataset import Dataset, Example
from train.evaluation.predictions import Predictions, SidePredictions


def clip(number: int, label: int) -> Clip:
    name = f"{LABELS[label]}/{number}.wav"
    return Clip(Path(name), name, LABELS[label])


def predictions_of(probabilities: list[tuple[float, ...]], truth: list[int]) -> SidePredictions:
    """One prediction per clip."""
    every = Predictions(np.array(probabilities, np.float32), np.arange(len(probabilities)))
    return SidePredictions(
        [clip(*pair) for pair in enumerate(truth)], np.array(truth), every, every, every, every, None
    )


def corpus(found: SidePredictions, not_music: tuple[str, ...] = ("other",)) -> Dataset:
    parts = [Example(np.zeros((1, 1)), c, int(label)) for c, label in zip(found.clips, found.labels, strict=True)]
    return datasets.dataset(LABELS, {"train": parts}, not_music)


def sure(confidence: float, label: int = 0) -> tuple[float, ...]:
    """Probabilities with that confidence for a label; the other labels share the rest."""
    row = [(1 - confidence) / 2] * 3
    row[label] = confidence
    return tuple(row)


# Of six clips of music one is taken for no music and one gets the wrong label; the noise does not count.
SIX = predictions_of(
    [sure(0.95), sure(0.75), sure(0.65), sure(0.55, 1), sure(0.85, 1), sure(0.9, 2), sure(0.5, 0)],
    [0, 0, 1, 1, 1, 0, 2],
)
