"""From a trained network to everything that the run folder holds."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.card import Normalisation
from train import networks, pictures
from train.answers import Answers, answer_streams, answer_windows
from train.backend import keras
from train.dataset import Dataset
from train.metrics import fit_temperature
from train.recipes import Recipe
from train.results import (
    CALIBRATION_INPUTS,
    example_tensors,
    make_card,
    measurements,
    metrics_json,
    table,
    vocoder_check,
)
from train.run import (
    CALIBRATION,
    CARD,
    CHECKPOINT,
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
from train.training import History


def finish(
    network: keras.Model,
    history: History,
    dataset: Dataset,
    recipe: Recipe,
    normalisation: Normalisation,
    arguments: Arguments,
    folder: Path,
) -> None:
    """Write all that a finished run leaves. metrics.json comes last: it is what makes a run finished."""
    judged_by = answer(network, dataset, "valid", recipe, normalisation)
    listening = judged_by.listening
    temperature = fit_temperature(listening.probabilities, judged_by.labels[listening.clips])
    held_back = judged_by
    if dataset.held_back != "valid":
        held_back = answer(network, dataset, dataset.held_back, recipe, normalisation)
    found = measurements(held_back, dataset, temperature, arguments.seed)
    card = make_card(dataset, recipe, normalisation, arguments, temperature, found)
    with writing(folder):
        _save_networks(network, dataset, recipe, folder)
        with replacing(folder / CARD) as temporary:
            temporary.write_text(card.to_json())
        for name, side, limit in ((CALIBRATION, "train", CALIBRATION_INPUTS), (HELD_BACK, dataset.held_back, None)):
            tensors = example_tensors(dataset.sides[side], recipe, normalisation, limit, arguments.seed)
            _save_tensors(folder / name, tensors)
    report(held_back, history, dataset, recipe, arguments, temperature, folder)
    (folder / CHECKPOINT).unlink(missing_ok=True)


def report(
    answers: Answers,
    history: History,
    dataset: Dataset,
    recipe: Recipe,
    arguments: Arguments,
    temperature: float,
    folder: Path,
) -> None:
    """Draw the pictures, write metrics.json and print the table."""
    found = measurements(answers, dataset, temperature, arguments.seed)
    seconds = sum(row["seconds"] for row in history)
    with writing(folder):
        (folder / PICTURES).mkdir(exist_ok=True)
        pictures.draw_curves(history, folder / PICTURES / "curves.png")
        confusion = found.get("per_track_with_not_music", found["per_track"])
        pictures.draw_confusion(confusion, dataset.labels, folder / PICTURES / "confusion.png")
        for label in dataset.labels:
            clip = next(part.clip for part in dataset.sides["train"] if part.clip.label == label)
            pictures.draw_example(clip, recipe.front_end, folder / PICTURES / f"example_{label}.png")
        content = metrics_json(found, dataset, arguments, temperature, seconds)
        write_json(folder / METRICS, content | vocoder_check(answers, dataset))
    print(table(found, dataset))


def answer(network: keras.Model, dataset: Dataset, side: str, recipe: Recipe, normalisation: Normalisation) -> Answers:
    """What a trained network says about one side of the split."""
    parts = dataset.sides[side]
    if recipe.stream is None:
        return answer_windows(network, parts, normalisation)
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
