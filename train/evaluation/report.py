"""What a finished run leaves: the card, the tensors for the converter, metrics.json, and the table of it."""

import csv
import math
import platform
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from edge.card import Accuracy, Card, Normalisation, Thresholds, Training
from edge.decision import calibrate
from edge.frontend import FloatArray
from train.backend import keras, tf
from train.corpus.dataset import Dataset, Part
from train.corpus.features import mfccs
from train.evaluation.metrics import Measured, fit_temperature, measure
from train.evaluation.predictions import Answers, Said, normalise, of_files
from train.recipes import RECIPES, Recipe
from train.run.folder import Arguments, replacing

CONVERTER_INPUTS = 200  # clips for the converter, on either side
HELD_BACK_SECONDS = 20.0  # shorter streams are left out of the converter's tensors, if there are longer ones

# Of music clips, how many may be refused a label, or taken for no music, that wrong labels and noises be refused more.
REFUSED_MUSIC = 0.03
COVERAGES = tuple(i / 10 for i in range(10))

FIXED_NOTE = "the number of epochs is fixed: no epoch was chosen by the held-back side"
TEMPERATURE_NOTE = "the temperature and the threshold for unknown were set on the {} side"
SAME_SIDE_NOTE = ", which is the side reported: the calibration error is optimistic, the accuracy untouched"


def versions() -> dict[str, str]:
    """Package → version of what made the numbers."""
    packages = {"keras": keras, "tensorflow": tf, "librosa": librosa, "numpy": np}
    return {name: package.__version__ for name, package in packages.items()} | {"python": platform.python_version()}


def choose_thresholds(answers: Answers, dataset: Dataset) -> Thresholds:
    """The temperature that the answers need, and the confidence under which a label is `unknown`.

    That is as high as may be when REFUSED_MUSIC of the music clips get no label; 0 without a class of what is no music.
    """
    said = answers.listening
    temperature = fit_temperature(said.probabilities, answers.labels[said.clips])
    if not dataset.not_music:
        return replace(Thresholds(), temperature=temperature)
    confidence, _ = confidences(answers, dataset, temperature)
    unknown_below = float(np.quantile(confidence, REFUSED_MUSIC, method="lower"))
    return replace(Thresholds(), temperature=temperature, unknown_below=math.floor(1000 * unknown_below) / 1000)


def confidences(answers: Answers, dataset: Dataset, temperature: float) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Of each music clip: the probability of its label, 0 where it is taken for no music; and whether it is right."""
    said = of_files(answers)
    truth = answers.labels[said.clips]
    is_music = np.array([label not in dataset.not_music for label in dataset.labels])
    probabilities = calibrate(said.probabilities, temperature)[is_music[truth]]
    answer = probabilities.argmax(axis=1)
    return np.where(is_music[answer], probabilities.max(axis=1), 0), answer == truth[is_music[truth]]


def coverage_curve(answers: Answers, dataset: Dataset, thresholds: Thresholds) -> list[dict[str, float | None]]:
    """What a threshold for `unknown` costs and brings: the share of music that gets a label, and how much is right."""
    confidence, right = confidences(answers, dataset, thresholds.temperature)
    curve = []
    for threshold in sorted({*COVERAGES, thresholds.unknown_below}):
        labelled = confidence >= max(threshold, 1e-9)
        accuracy = round(float(right[labelled].mean()), 4) if labelled.any() else None
        share = round(float(labelled.mean()), 4)
        curve.append({"threshold": threshold, "coverage": share, "accuracy": accuracy, "clips": int(labelled.sum())})
    return curve


def coverage_table(curve: list[dict[str, float | None]]) -> str:
    """The curve for a terminal."""
    rows = ["threshold for unknown   music labelled   of it right"]
    for p in curve:
        right = "-" if p["accuracy"] is None else f"{p['accuracy']:.1%}"
        rows.append(f"{p['threshold']:21.3f} {p['coverage']:16.1%} {right:>13}")
    return "\n".join(rows)


def write_folds(answers: Answers, dataset: Dataset, path: Path) -> None:
    """What each clip was called, as a file, by the network that never heard it, as a table."""
    said = of_files(answers)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as f:
        writer = csv.writer(f)
        writer.writerow(["clip", "label", "source", "fold", "said"])
        for index, answer in zip(said.clips, said.probabilities.argmax(axis=1), strict=True):
            clip = answers.clips[index]
            source = dataset.sources.get(clip.name, "")
            writer.writerow([clip.name, clip.label, source, dataset.folds[clip.name], dataset.labels[answer]])


def measurements(answers: Answers, dataset: Dataset, thresholds: Thresholds, seed: int) -> dict[str, Measured]:
    """Everything measured on the held-back side, by name; accuracy is of music unless the name says otherwise."""
    temperature = thresholds.temperature

    def measured(said: Said, per: str, chosen: set[int]) -> Measured:
        take = np.isin(said.clips, sorted(chosen))
        tempered = calibrate(said.probabilities[take], temperature)
        owners = said.clips[take]
        return measure(tempered, answers.labels[owners], owners, dataset.labels, per, seed)

    music = {i for i, clip in enumerate(answers.clips) if clip.label not in dataset.not_music}
    found = {
        "per_segment": measured(answers.per_segment, "segment", music),
        "per_track": measured(answers.per_track, "track", music),
        "per_track_as_a_file": measured(of_files(answers), "track", music),
    }
    if answers.whole_clip is not None:
        found["per_track_by_training_network"] = measured(answers.whole_clip, "track", music)
    if len(music) < len(answers.clips):
        found["per_track_with_not_music"] = measured(answers.per_track, "track", set(range(len(answers.clips))))
        found["per_track_of_not_music"] = measured(answers.per_track, "track", set(range(len(answers.clips))) - music)
    sources = {i: dataset.sources[answers.clips[i].name] for i in music if answers.clips[i].name in dataset.sources}
    for source in sorted(set(sources.values())):
        chosen = {i for i, own in sources.items() if own == source}
        found[f"per_track_of_{source}"] = measured(answers.per_track, "track", chosen)
    if answers.vocoded is not None:
        found["per_track_of_vocoded"] = measured(answers.vocoded, "track", music)
    return found


def vocoder_check(answers: Answers, dataset: Dataset) -> dict[str, Any]:
    """Whether the vocoder's sound stands for the classes that the corpus has mostly reconstructed.

    How often recorded music of the other classes is called one of those: as it is, and as vocoded. Empty where there
    is no such music, and for a corpus of recordings.
    """
    if answers.vocoded is None:
        return {}
    suspects = [dataset.labels.index(label) for label in dataset.mostly_reconstructed]
    clips = answers.vocoded.clips[~np.isin(answers.labels[answers.vocoded.clips], suspects)]
    if not len(clips):
        return {}

    def share(said: Said) -> float:
        called = said.probabilities[np.isin(said.clips, clips)].argmax(axis=1)
        return round(float(np.isin(called, suspects).mean()), 4)

    shares = {"recorded": share(answers.per_track), "vocoded": share(answers.vocoded)}
    return {"called_mostly_reconstructed": {"classes": list(dataset.mostly_reconstructed), "n": len(clips)} | shares}


def metrics_json(
    found: dict[str, Measured], dataset: Dataset, arguments: Arguments, temperature: float, seconds: float
) -> dict[str, Any]:
    """The content of metrics.json."""
    judged_by = "held-back" if dataset.folds else "valid"
    note = TEMPERATURE_NOTE.format(judged_by) + ("" if dataset.held_back == "test" else SAME_SIDE_NOTE)
    return {
        "recipe": arguments.recipe,
        "split": arguments.split,
        "leaky": dataset.leaky,
        "held_back_side": "folds" if dataset.folds else dataset.held_back,
        "notes": [dataset.note, FIXED_NOTE, RECIPES[arguments.recipe].chosen, note],
        "labels": list(dataset.labels),
        "not_music": list(dataset.not_music),
        **{name: asdict(measured) for name, measured in found.items()},
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


def make_card(
    dataset: Dataset,
    recipe: Recipe,
    normalisation: Normalisation,
    arguments: Arguments,
    thresholds: Thresholds,
    found: dict[str, Measured],
) -> Card:
    """The card of a run; the export fills in what belongs to a file."""
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


def example_tensors(
    parts: list[Part], recipe: Recipe, normalisation: Normalisation, limit: int | None, seed: int
) -> dict[str, NDArray[Any]]:
    """Network inputs of equal length for the converter: inputs (n, T, n_mfcc), labels (n,), tracks (n,).

    T is the window; in a stream the shortest clip's whole blocks, among clips of HELD_BACK_SECONDS if there are any.
    """
    length = recipe.segment_frames
    if recipe.stream is not None:
        wanted = HELD_BACK_SECONDS * recipe.front_end.frame_rate
        long = [part for part in parts if len(part.features) >= wanted] or parts
        shortest = min(len(part.features) for part in long)
        parts, length = long, shortest - shortest % recipe.stream.block_frames
    if limit is not None and len(parts) > limit:
        chosen = np.random.default_rng(seed).permutation(len(parts))[:limit]
        parts = [parts[i] for i in sorted(chosen)]
    return {
        "inputs": normalise(np.stack([mfccs(part.features[:length], recipe) for part in parts]), normalisation),
        "labels": np.array([part.label for part in parts]),
        "tracks": np.array([part.clip.name for part in parts]),
    }


def table(found: dict[str, Measured], dataset: Dataset) -> str:
    """The measurements for a terminal."""
    rows = [f"held back: {'each fold in turn' if dataset.folds else dataset.held_back}; {dataset.note}"]
    for name, m in found.items():
        rows.append(
            f"{name.replace('_', ' '):32} {m.accuracy:.4f}  [{m.low:.4f}, {m.high:.4f}]  n = {m.n} ({m.tracks} tracks)"
        )
    return "\n".join(rows)
