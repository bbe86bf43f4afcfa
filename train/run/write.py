"""Content of a finished run folder: networks, card, tensors for the converter, metrics, tables and plots."""

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.card import Normalisation, Thresholds
from train.backend import keras
from train.corpus.dataset import Dataset
from train.evaluation import plots
from train.evaluation.metrics import Measurement
from train.evaluation.predictions import SidePredictions, file_level, predict
from train.evaluation.report import coverage_table, measurement_table, measurements, vocoder_check
from train.evaluation.thresholds import choose_thresholds, coverage_curve
from train.files import atomic_path, write_errors, write_json
from train.network.inputs import example_tensors
from train.network.layers import device_network
from train.network.loop import CHECKPOINT, History
from train.recipes import RECIPES, Recipe
from train.run.card import make_card, versions
from train.run.folder import CALIBRATION, CARD, FOLDS, HELD_BACK, METRICS, NETWORK, PLOTS, TRAINED, Arguments

CONVERTER_INPUTS = 200  # clips for the converter, from each side

FIXED_NOTE = "the number of epochs is fixed: no epoch was chosen by the held-back side"
TEMPERATURE_NOTE = "the temperature and the threshold for unknown were set on the {} side"
SAME_SIDE_NOTE = ", which is the side reported: the calibration error is optimistic, the accuracy untouched"


def write_run(
    network: keras.Model,
    history: History,
    dataset: Dataset,
    recipe: Recipe,
    normalisation: Normalisation,
    arguments: Arguments,
    folder: Path,
    fold_predictions: SidePredictions | None,
) -> None:
    """Write everything that a finished run leaves; metrics.json is last, because it marks a run as finished.

    Parameters
    ----------
    network
        The trained network.
    history
        One row per epoch.
    dataset, recipe, normalisation, arguments
        What it was trained on, and how.
    folder
        The run folder.
    fold_predictions
        With a split in folds: predictions on all clips by the networks of the folds, which were trained in the same way
        on fewer clips. They decide the thresholds and the accuracy then.
    """
    on_valid = fold_predictions or predict(network, dataset, "valid", recipe, normalisation)
    thresholds = choose_thresholds(on_valid, dataset, recipe.thresholds)
    on_held_back = on_valid
    if fold_predictions is None and dataset.held_back != "valid":
        on_held_back = predict(network, dataset, dataset.held_back, recipe, normalisation)
    found = measurements(on_held_back, dataset, thresholds, arguments.seed)
    card = make_card(dataset, recipe, normalisation, arguments, thresholds, found)
    held_back = dataset.sides.get(dataset.held_back, dataset.sides["train"])
    with write_errors(folder):
        _save_networks(network, dataset, recipe, folder)
        with atomic_path(folder / CARD) as temporary:
            temporary.write_text(card.to_json())
        for name, examples in ((CALIBRATION, dataset.sides["train"]), (HELD_BACK, held_back)):
            tensors = example_tensors(examples, recipe, normalisation, CONVERTER_INPUTS, arguments.seed)
            _save_tensors(folder / name, tensors)
    write_report(on_held_back, history, dataset, recipe, arguments, thresholds, folder)
    (folder / CHECKPOINT).unlink(missing_ok=True)


def write_report(
    predictions: SidePredictions,
    history: History,
    dataset: Dataset,
    recipe: Recipe,
    arguments: Arguments,
    thresholds: Thresholds,
    folder: Path,
) -> None:
    """Write the plots, metrics.json and, with a split in folds, folds.csv; print the tables.

    Parameters
    ----------
    predictions
        Predictions on the held-back side.
    history
        One row per epoch.
    dataset, recipe, arguments
        What the network was trained on, and how.
    thresholds
        Those of the card.
    folder
        The run folder.
    """
    found = measurements(predictions, dataset, thresholds, arguments.seed)
    seconds = sum(row["seconds"] for row in history)
    with write_errors(folder):
        (folder / PLOTS).mkdir(exist_ok=True)
        plots.plot_curves(history, folder / PLOTS / "curves.png")
        confusion = found.get("per_track_with_not_music", found["per_track"])
        plots.plot_confusion(confusion, dataset.labels, folder / PLOTS / "confusion.png")
        for label in dataset.labels:
            clip = next(example.clip for example in dataset.sides["train"] if example.clip.label == label)
            plots.plot_example(clip, recipe.front_end, folder / PLOTS / f"example_{label}.png")
        if dataset.folds:
            write_folds(predictions, dataset, folder / FOLDS)
        content = metrics_json(found, dataset, arguments, thresholds.temperature, seconds)
        coverage = coverage_curve(predictions, dataset, thresholds)
        write_json(folder / METRICS, content | vocoder_check(predictions, dataset) | {"coverage": coverage})
    print(measurement_table(found, dataset))
    print(coverage_table(coverage))


def metrics_json(
    found: dict[str, Measurement], dataset: Dataset, arguments: Arguments, temperature: float, seconds: float
) -> dict[str, Any]:
    """Content of metrics.json; `seconds` is the duration of the training."""
    side = "held-back" if dataset.folds else "valid"
    note = TEMPERATURE_NOTE.format(side) + ("" if dataset.held_back == "test" else SAME_SIDE_NOTE)
    return {
        "recipe": arguments.recipe,
        "split": arguments.split,
        "leaky": dataset.leaky,
        "held_back_side": "folds" if dataset.folds else dataset.held_back,
        "notes": [dataset.note, FIXED_NOTE, RECIPES[arguments.recipe].chosen, note],
        "labels": list(dataset.labels),
        "not_music": list(dataset.not_music),
        **{name: asdict(measurement) for name, measurement in found.items()},
        "temperature": temperature,
        "corpus": Path(arguments.data).name,
        "corpus_sha256": arguments.corpus_sha256,
        "clips": dataset.clips_per_class(),
        "skipped": dataset.skipped,
        "clips_on_no_list": dataset.unlisted,
        "seed": arguments.seed,
        "epochs": arguments.epochs,
        "training_seconds": round(seconds, 1),
        "command": arguments.command,
        "versions": versions(),
    }


def write_folds(predictions: SidePredictions, dataset: Dataset, path: Path) -> None:
    """Write a table with the label of each clip as a file, predicted by the network that never heard its artist."""
    of_files = file_level(predictions)
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as f,
    ):
        writer = csv.writer(f)
        writer.writerow(["clip", "label", "source", "fold", "said"])
        for index, predicted in zip(of_files.clips, of_files.probabilities.argmax(axis=1), strict=True):
            clip = predictions.clips[index]
            source = dataset.sources.get(clip.name, "")
            writer.writerow([clip.name, clip.label, source, dataset.folds[clip.name], dataset.labels[predicted]])


def _save_networks(network: keras.Model, dataset: Dataset, recipe: Recipe, folder: Path) -> None:
    """Save the network that is exported; of a stream recipe the training network, too."""
    exported = network
    if recipe.stream is not None:
        exported = device_network(network, recipe.stream, recipe.front_end.n_mfcc, len(dataset.labels))
        with atomic_path(folder / TRAINED) as temporary:
            network.save(temporary)
    with atomic_path(folder / NETWORK) as temporary:
        exported.save(temporary)


def _save_tensors(path: Path, tensors: dict[str, NDArray[Any]]) -> None:
    with atomic_path(path) as temporary:
        np.savez(temporary, **tensors)
