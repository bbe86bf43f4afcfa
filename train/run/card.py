"""The model card of a run."""

import platform
from pathlib import Path

import librosa
import numpy as np

from edge.model.card import Accuracy, Card, Normalisation, Thresholds, Training
from train.backend import keras, tf
from train.corpus.dataset import Dataset
from train.evaluation.metrics import Measurement
from train.recipes import Recipe
from train.run.folder import Arguments


def make_card(
    dataset: Dataset,
    recipe: Recipe,
    normalisation: Normalisation,
    arguments: Arguments,
    thresholds: Thresholds,
    found: dict[str, Measurement],
) -> Card:
    """Make the card of a run; the export adds the fields that belong to a file.

    Parameters
    ----------
    dataset, recipe, normalisation, arguments
        What the network was trained on, and how.
    thresholds
        Those of the recipe, with the temperature and `unknown_below` of this run.
    found
        Measurements by name; the accuracies per segment and per track are used.
    """
    accuracy = [found["per_segment"], found["per_track"]]
    return Card(
        name=recipe.name,
        labels=dataset.labels,
        not_music=dataset.not_music,
        front_end=recipe.front_end,
        normalisation=normalisation,
        mode="stream" if recipe.stream else "window",
        frames=recipe.stream.block_frames if recipe.stream else recipe.segment_frames,
        window_samples=0 if recipe.stream else recipe.segment_samples,
        thresholds=thresholds,
        training=Training(
            recipe=recipe.name,
            corpus=Path(arguments.data).name,
            split=arguments.split,
            leaky=dataset.leaky,
            seed=arguments.seed,
            clips=sum(dataset.clips_per_class()["train"].values()),
            accuracy=tuple(Accuracy(m.accuracy, m.low, m.high, m.n, m.per) for m in accuracy),
        ),
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Package → version, of the packages that determine the weights."""
    packages = {"keras": keras, "tensorflow": tf, "librosa": librosa, "numpy": np}
    return {name: package.__version__ for name, package in packages.items()} | {"python": platform.python_version()}
