"""Predictions of a trained network on one side of the split: per segment, per track, and while it runs on a stream."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.arrays import FloatArray
from edge.decision import MIN_PROBABILITY
from edge.model.card import Normalisation
from train.backend import keras, tf
from train.corpus.clips import Clip
from train.corpus.dataset import Dataset, Example
from train.files import atomic_path
from train.network.inputs import normalise, to_stream
from train.network.layers import device_network
from train.recipes import EDGE, Recipe, Stream

BATCH = 256
FULL_WEIGHT_SEGMENTS = EDGE.thresholds.ripe_seconds / EDGE.segment_seconds  # a later prediction has no greater weight


@dataclass(frozen=True)
class Predictions:
    """Predictions, each for one clip: `probabilities` (n, labels); `clips` (n,) are indices into a side's clips."""

    probabilities: FloatArray
    clips: NDArray[np.int64]


@dataclass(frozen=True)
class SidePredictions:
    """Predictions of every kind on one side of the split."""

    clips: list[Clip]
    labels: NDArray[np.int64]  # (clips,)
    per_segment: Predictions  # on each segment alone
    per_track: Predictions
    listening: Predictions  # shown to a listener after the time of each segment
    whole_clip: Predictions | None  # of the training network, which pools exactly where the device network forgets
    vocoded: Predictions | None  # like `per_track`, on vocoded variants of some of the clips


KINDS = ("per_segment", "per_track", "listening", "whole_clip", "vocoded")


def predict(
    network: keras.Model, dataset: Dataset, side: str, recipe: Recipe, normalisation: Normalisation
) -> SidePredictions:
    """Run a trained network on one side of the split.

    Parameters
    ----------
    network
        The training network of a stream recipe, or the network of a window recipe.
    dataset, side
        The dataset, and the name of the side: train, valid or test.
    recipe, normalisation
        Those that the network was trained with.
    """
    examples = dataset.sides[side]
    if recipe.stream is None:
        segments = np.stack([example.features for example in examples])
        return predict_segments(network, normalise(segments, normalisation), examples)
    if dataset.leaky:
        streams = np.stack([to_stream(example, normalisation, recipe, recipe.stream) for example in examples])
        return predict_segments(after_last_block(network), streams, examples)
    device = device_network(network, recipe.stream, recipe.front_end.n_mfcc, len(dataset.labels))
    vocoded = dataset.vocoded.get(side, [])
    return predict_streams(network, device, examples, vocoded, normalisation, recipe, recipe.stream)


def predict_segments(network: keras.Model, inputs: FloatArray, examples: list[Example]) -> SidePredictions:
    """Predictions of a network that takes segments, (n, labels) for (n, …) inputs; a track's is their mean."""
    clips, labels, index = _clips_of(examples)
    segments = Predictions(network.predict(inputs, batch_size=BATCH, verbose=0), index)
    tracks = np.stack([segments.probabilities[index == clip].mean(axis=0) for clip in range(len(clips))])
    return SidePredictions(clips, labels, segments, Predictions(tracks, np.arange(len(clips))), segments, None, None)


def predict_streams(
    trained: keras.Model,
    device: keras.Model,
    examples: list[Example],
    vocoded_examples: list[Example],
    normalisation: Normalisation,
    recipe: Recipe,
    stream: Stream,
) -> SidePredictions:
    """Predictions of a stream network; a track's is the device network's at the end of the clip.

    Parameters
    ----------
    trained, device
        The same network in its two forms (train.network.layers).
    examples
        Whole clips.
    vocoded_examples
        Vocoded variants of some of the examples.
    normalisation, recipe, stream
        Those that the network was trained with.
    """
    clips, labels, index = _clips_of(examples)
    streams = [to_stream(example, normalisation, recipe, stream) for example in examples]
    step = recipe.segment_frames // stream.block_frames
    pieces = [
        (blocks[i : i + step], clip)
        for blocks, clip in zip(streams, index, strict=True)
        for i in range(0, len(blocks) - step + 1, step)
    ]
    owners = np.array([clip for _, clip in pieces])
    inputs = np.stack([piece for piece, _ in pieces])
    segments = after_last_block(trained).predict(inputs, batch_size=BATCH, verbose=0)
    by_block = run_device_network(device, streams)
    shown = [probabilities[step - 1 :: step] for probabilities in by_block]
    vocoded = None
    if vocoded_examples:
        vocoded_streams = [to_stream(example, normalisation, recipe, stream) for example in vocoded_examples]
        ends = [probabilities[-1] for probabilities in run_device_network(device, vocoded_streams)]
        vocoded = Predictions(np.stack(ends), np.array([clips.index(example.clip) for example in vocoded_examples]))
    return SidePredictions(
        clips,
        labels,
        Predictions(segments, owners),
        Predictions(np.stack([probabilities[-1] for probabilities in by_block]), index),
        Predictions(np.concatenate(shown), np.repeat(index, [len(probabilities) for probabilities in shown])),
        Predictions(_predict_whole(after_last_block(trained), streams), index),
        vocoded,
    )


def after_last_block(trained: keras.Model) -> keras.Model:
    """The training network with its prediction after the last block as the only one: (T, …) → (labels,)."""
    return keras.Model(trained.inputs[0], trained.outputs[0][:, -1])


def run_device_network(device: keras.Model, streams: list[FloatArray]) -> list[FloatArray]:
    """Run the device network over streams from zero states: for each (T, …) blocks (T, labels) probabilities."""
    longest = max(len(blocks) for blocks in streams)
    padded = np.stack([np.pad(b, [(0, longest - len(b)), (0, 0), (0, 0)]) for b in streams])
    states = {i.name: tf.zeros((len(streams), *i.shape[1:])) for i in device.inputs if i.name != "features"}
    call = tf.function(device)
    by_block = []
    for block in padded.transpose(1, 0, 2, 3):
        outputs = call({"features": tf.constant(block), **states})
        states = {name: outputs[f"next_{name}"] for name in states}
        by_block.append(outputs["probabilities"].numpy())
    return [row[: len(blocks)] for row, blocks in zip(np.stack(by_block, axis=1), streams, strict=True)]


def _predict_whole(trained: keras.Model, streams: list[FloatArray]) -> FloatArray:
    """Predictions on whole clips, those of equal length in one batch."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, blocks in enumerate(streams):
        by_length[len(blocks)].append(i)
    probabilities: FloatArray = np.empty((len(streams), trained.output_shape[-1]), np.float32)
    for indices in by_length.values():
        probabilities[indices] = trained.predict_on_batch(np.stack([streams[i] for i in indices]))
    return probabilities


def _clips_of(examples: list[Example]) -> tuple[list[Clip], NDArray[np.int64], NDArray[np.int64]]:
    """The clips of examples, their label numbers, and for each example the index of its clip."""
    first: dict[str, int] = {}
    clips: list[Clip] = []
    labels: list[int] = []
    for example in examples:
        if example.clip.name not in first:
            first[example.clip.name] = len(clips)
            clips.append(example.clip)
            labels.append(example.label)
    return clips, np.array(labels), np.array([first[example.clip.name] for example in examples])


def file_level(predictions: SidePredictions) -> Predictions:
    """Predictions for whole clips as `edge-label` makes them (edge.decision): the geometric mean over a clip.

    A prediction of a stream network is weighted by the time it has listened, up to FULL_WEIGHT_SEGMENTS.
    """
    listening = predictions.listening
    weights = np.ones(len(listening.clips))
    if predictions.whole_clip is not None:
        for clip in set(listening.clips):
            own = listening.clips == clip
            weights[own] = np.minimum(np.arange(1, own.sum() + 1), FULL_WEIGHT_SEGMENTS)
    sums = np.zeros((len(predictions.clips), listening.probabilities.shape[1]))
    logs = np.log(np.maximum(listening.probabilities, MIN_PROBABILITY))
    np.add.at(sums, listening.clips, weights[:, None] * logs)
    totals = np.bincount(listening.clips, weights, minlength=len(sums))
    predicted = np.flatnonzero(totals)
    probabilities = np.exp(sums[predicted] / totals[predicted, None])
    return Predictions((probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32), predicted)


def concatenate(sides: list[SidePredictions]) -> SidePredictions:
    """Predictions on several sides as if on one."""
    starts = np.cumsum([0, *(len(side.clips) for side in sides)])

    def joined(of_sides: list[Predictions | None]) -> Predictions | None:
        present = [(p, start) for p, start in zip(of_sides, starts, strict=False) if p is not None]
        if not present:
            return None
        return Predictions(
            np.concatenate([p.probabilities for p, _ in present]),
            np.concatenate([p.clips + start for p, start in present]),
        )

    clips = [clip for side in sides for clip in side.clips]
    every: dict[str, Any] = {name: joined([getattr(side, name) for side in sides]) for name in KINDS}
    return SidePredictions(clips, np.concatenate([side.labels for side in sides]), **every)


def save_predictions(path: Path, predictions: SidePredictions) -> None:
    """Write predictions to an .npz file; clips are stored by name."""
    arrays: dict[str, Any] = {"clips": np.array([c.name for c in predictions.clips]), "labels": predictions.labels}
    for name in KINDS:
        of_kind = getattr(predictions, name)
        if of_kind is not None:
            arrays |= {f"{name}_probabilities": of_kind.probabilities, f"{name}_clips": of_kind.clips}
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays)


def load_predictions(path: Path, dataset: Dataset) -> SidePredictions:
    """Read a file of `save_predictions` about clips of a dataset."""
    known = {example.clip.name: example.clip for side in dataset.sides.values() for example in side}
    with np.load(path) as arrays:
        every: dict[str, Any] = {
            name: Predictions(arrays[f"{name}_probabilities"], arrays[f"{name}_clips"])
            if f"{name}_clips" in arrays
            else None
            for name in KINDS
        }
        return SidePredictions([known[name] for name in arrays["clips"]], arrays["labels"], **every)
