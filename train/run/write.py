"""From a trained network to everything that the run folder holds."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.card import Normalisation, Thresholds
from train.backend import keras
from train.corpus.dataset import Dataset
from train.evaluation import plots as pictures
from train.evaluation.predictions import Answers, answer_segments, answer_streams, last_answers, normalise, to_stream
from train.evaluation.report import (
    CONVERTER_INPUTS,
    choose_thresholds,
    coverage_curve,
    coverage_table,
    example_tensors,
    make_card,
    measurements,
    metrics_json,
    table,
    vocoder_check,
    write_folds,
)
from train.network import layers as networks
from train.network.loop import History
from train.recipes import Recipe
from train.run.folder import (
    CALIBRATION,
    CARD,
    CHECKPOINT,
    FOLDS,
    HELD_BACK,
    METRICS,
    NETWORK,
    PICTURES,
    TRAINED,
    Arguments,
    replacing,
    write_json,
    writing,
)


def finish(
    network: keras.Model,
    history: History,
    dataset: Dataset,
    recipe: Recipe,
    normalisation: Normalisation,
    arguments: Arguments,
    folder: Path,
    of_folds: Answers | None,
) -> None:
    """Write all that a finished run leaves. metrics.json comes last: it is what makes a run finished.

    The thresholds are set and the accuracy is measured by `of_folds`, where there are folds: by networks that were
    trained in the same way on less.
    """
    judged_by = of_folds or answer(network, dataset, "valid", recipe, normalisation)
    thresholds = choose_thresholds(judged_by, dataset)
    held_back = judged_by
    if of_folds is None and dataset.held_back != "valid":
        held_back = answer(network, dataset, dataset.held_back, recipe, normalisation)
    found = measurements(held_back, dataset, thresholds, arguments.seed)
    card = make_card(dataset, recipe, normalisation, arguments, thresholds, found)
    examples = dataset.sides.get(dataset.held_back, dataset.sides["train"])
    with writing(folder):
        _save_networks(network, dataset, recipe, folder)
        with replacing(folder / CARD) as temporary:
            temporary.write_text(card.to_json())
        for name, parts in ((CALIBRATION, dataset.sides["train"]), (HELD_BACK, examples)):
            tensors = example_tensors(parts, recipe, normalisation, CONVERTER_INPUTS, arguments.seed)
            _save_tensors(folder / name, tensors)
    report(held_back, history, dataset, recipe, arguments, thresholds, folder)
    (folder / CHECKPOINT).unlink(missing_ok=True)


def report(
    answers: Answers,
    history: History,
    dataset: Dataset,
    recipe: Recipe,
    arguments: Arguments,
    thresholds: Thresholds,
    folder: Path,
) -> None:
    """Draw the pictures, write metrics.json and, of folds, what each clip was called; print the table."""
    found = measurements(answers, dataset, thresholds, arguments.seed)
    seconds = sum(row["seconds"] for row in history)
    with writing(folder):
        (folder / PICTURES).mkdir(exist_ok=True)
        pictures.draw_curves(history, folder / PICTURES / "curves.png")
        confusion = found.get("per_track_with_not_music", found["per_track"])
        pictures.draw_confusion(confusion, dataset.labels, folder / PICTURES / "confusion.png")
        for label in dataset.labels:
            clip = next(part.clip for part in dataset.sides["train"] if part.clip.label == label)
            pictures.draw_example(clip, recipe.front_end, folder / PICTURES / f"example_{label}.png")
        if dataset.folds:
            write_folds(answers, dataset, folder / FOLDS)
        content = metrics_json(found, dataset, arguments, thresholds.temperature, seconds)
        coverage = coverage_curve(answers, dataset, thresholds)
        write_json(folder / METRICS, content | vocoder_check(answers, dataset) | {"coverage": coverage})
    print(table(found, dataset))
    print(coverage_table(coverage))


def answer(network: keras.Model, dataset: Dataset, side: str, recipe: Recipe, normalisation: Normalisation) -> Answers:
    """What a trained network says about one side of the split."""
    parts = dataset.sides[side]
    if recipe.stream is None:
        return answer_segments(network, normalise(np.stack([part.features for part in parts]), normalisation), parts)
    if dataset.leaky:
        streams = np.stack([to_stream(part, normalisation, recipe, recipe.stream) for part in parts])
        return answer_segments(last_answers(network), streams, parts)
    device = networks.device_network(network, recipe.stream, recipe.front_end.n_mfcc, len(dataset.labels))
    copies = dataset.vocoded.get(side, [])
    return answer_streams(network, device, parts, copies, normalisation, recipe, recipe.stream)


def _save_networks(network: keras.Model, dataset: Dataset, recipe: Recipe, folder: Path) -> None:
    """The network that is exported; of a stream also the one that was trained."""
    exported = network
    if recipe.stream is not None:
        exported = networks.device_network(network, recipe.stream, recipe.front_end.n_mfcc, len(dataset.labels))
        with replacing(folder / TRAINED) as temporary:
            network.save(temporary)
    with replacing(folder / NETWORK) as temporary:
        exported.save(temporary)


def _save_tensors(path: Path, tensors: dict[str, NDArray[Any]]) -> None:
    with replacing(path) as temporary:
        np.savez(temporary, **tensors)
