"""What a trained network says about one side of the split: per segment, per track, and while it listens."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.card import Normalisation, Thresholds
from edge.decision import LEAST_PROBABILITY
from edge.frontend import FloatArray
from train.backend import keras, tf
from train.corpus.clips import Clip
from train.corpus.dataset import Dataset, Part
from train.corpus.features import mfccs
from train.network.batches import to_blocks
from train.recipes import EDGE, Recipe, Stream
from train.run.folder import replacing

BATCH = 256
RIPE = Thresholds().ripe_seconds / EDGE.segment_seconds  # segments after which an answer gets no better


@dataclass(frozen=True)
class Said:
    """Answers, each about one clip: `probabilities` (n, labels), `clips` (n,) as indices into the clips of a side."""

    probabilities: FloatArray
    clips: NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """All answers about one side of the split."""

    clips: list[Clip]
    labels: NDArray[np.int64]  # (clips,)
    per_segment: Said  # each segment heard on its own
    per_track: Said
    listening: Said  # what a listener is shown after each segment's time
    whole_clip: Said | None  # the training network's answer, which pools exactly where the device forgets
    vocoded: Said | None  # as `per_track`, of the copies that the vocoder made of some of the clips


KINDS_OF_ANSWERS = ("per_segment", "per_track", "listening", "whole_clip", "vocoded")


def normalise(features: FloatArray, normalisation: Normalisation) -> FloatArray:
    """What the network takes: MFCCs (..., n_mfcc) → (mfcc - mean) / scale."""
    mean, scale = (np.asarray(v, np.float32) for v in (normalisation.mean, normalisation.scale))
    return (features - mean) / scale


def answer_segments(network: keras.Model, inputs: FloatArray, parts: list[Part]) -> Answers:
    """The answers of a network that hears segments, (n, labels) for (n, …) inputs; a track's is their mean."""
    clips, labels, index = _clips_of(parts)
    segments = Said(network.predict(inputs, batch_size=BATCH, verbose=0), index)
    tracks = np.stack([segments.probabilities[index == clip].mean(axis=0) for clip in range(len(clips))])
    return Answers(clips, labels, segments, Said(tracks, np.arange(len(clips))), segments, None, None)


def answer_streams(
    trained: keras.Model,
    device: keras.Model,
    parts: list[Part],
    copies: list[Part],
    normalisation: Normalisation,
    recipe: Recipe,
    stream: Stream,
) -> Answers:
    """The answers of a stream network; a track's is the device network's at the end of the clip.

    `copies` are vocoded ones of some of the parts.
    """
    clips, labels, index = _clips_of(parts)
    streams = [to_stream(part, normalisation, recipe, stream) for part in parts]
    step = recipe.segment_frames // stream.block_frames
    pieces = [
        (blocks[i : i + step], clip)
        for blocks, clip in zip(streams, index, strict=True)
        for i in range(0, len(blocks) - step + 1, step)
    ]
    owners = np.array([clip for _, clip in pieces])
    segments = last_answers(trained).predict(np.stack([piece for piece, _ in pieces]), batch_size=BATCH, verbose=0)
    heard = step_through(device, streams)
    shown = [said[step - 1 :: step] for said in heard]
    vocoded = None
    if copies:
        ends = [s[-1] for s in step_through(device, [to_stream(c, normalisation, recipe, stream) for c in copies])]
        vocoded = Said(np.stack(ends), np.array([clips.index(copy.clip) for copy in copies]))
    return Answers(
        clips,
        labels,
        Said(segments, owners),
        Said(np.stack([said[-1] for said in heard]), index),
        Said(np.concatenate(shown), np.repeat(index, [len(said) for said in shown])),
        Said(_predict_whole(last_answers(trained), streams), index),
        vocoded,
    )


def to_stream(part: Part, normalisation: Normalisation, recipe: Recipe, stream: Stream) -> FloatArray:
    """What a stream network takes of a part: (T, block_frames, n_mfcc)."""
    return to_blocks(normalise(mfccs(part.features, recipe), normalisation), stream.block_frames)


def last_answers(trained: keras.Model) -> keras.Model:
    """The training network with its answer after the last block as the only one: (T, …) → (labels,)."""
    return keras.Model(trained.inputs[0], trained.outputs[0][:, -1])


def step_through(device: keras.Model, streams: list[FloatArray]) -> list[FloatArray]:
    """Run the device network over streams of blocks from zero states: for each (T, ...) blocks (T, labels)."""
    longest = max(len(blocks) for blocks in streams)
    padded = np.stack([np.pad(b, [(0, longest - len(b)), (0, 0), (0, 0)]) for b in streams])
    states = {i.name: tf.zeros((len(streams), *i.shape[1:])) for i in device.inputs if i.name != "features"}
    call = tf.function(device)
    said = []
    for block in padded.transpose(1, 0, 2, 3):
        outputs = call({"features": tf.constant(block), **states})
        states = {name: outputs[f"next_{name}"] for name in states}
        said.append(outputs["probabilities"].numpy())
    return [row[: len(blocks)] for row, blocks in zip(np.stack(said, axis=1), streams, strict=True)]


def _predict_whole(trained: keras.Model, streams: list[FloatArray]) -> FloatArray:
    """Answers on whole clips, those of one length together."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, blocks in enumerate(streams):
        by_length[len(blocks)].append(i)
    said: FloatArray = np.empty((len(streams), trained.output_shape[-1]), np.float32)
    for indices in by_length.values():
        said[indices] = trained.predict_on_batch(np.stack([streams[i] for i in indices]))
    return said


def _clips_of(parts: list[Part]) -> tuple[list[Clip], NDArray[np.int64], NDArray[np.int64]]:
    """The clips of some parts, their label numbers, and for each part the index of its clip."""
    first: dict[str, int] = {}
    clips: list[Clip] = []
    labels: list[int] = []
    for part in parts:
        if part.clip.name not in first:
            first[part.clip.name] = len(clips)
            clips.append(part.clip)
            labels.append(part.label)
    return clips, np.array(labels), np.array([first[part.clip.name] for part in parts])


def of_files(answers: Answers) -> Said:
    """What a listener to each whole clip is told at its end: the geometric mean, as edge.decision has it of a file.

    A stream's answer counts for as long as it has listened, up to RIPE segments.
    """
    said = answers.listening
    weights = np.ones(len(said.clips))
    if answers.whole_clip is not None:
        for clip in set(said.clips):
            own = said.clips == clip
            weights[own] = np.minimum(np.arange(1, own.sum() + 1), RIPE)
    sums = np.zeros((len(answers.clips), said.probabilities.shape[1]))
    np.add.at(sums, said.clips, weights[:, None] * np.log(np.maximum(said.probabilities, LEAST_PROBABILITY)))
    totals = np.bincount(said.clips, weights, minlength=len(sums))
    heard = np.flatnonzero(totals)
    probabilities = np.exp(sums[heard] / totals[heard, None])
    return Said((probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32), heard)


def merged(answers: list[Answers]) -> Answers:
    """The answers about several sides as about one."""
    starts = np.cumsum([0, *(len(a.clips) for a in answers)])

    def joined(said: list[Said | None]) -> Said | None:
        present = [(s, start) for s, start in zip(said, starts, strict=False) if s is not None]
        if not present:
            return None
        return Said(
            np.concatenate([s.probabilities for s, _ in present]),
            np.concatenate([s.clips + start for s, start in present]),
        )

    clips = [clip for a in answers for clip in a.clips]
    every = {name: joined([getattr(a, name) for a in answers]) for name in KINDS_OF_ANSWERS}
    return Answers(clips, np.concatenate([a.labels for a in answers]), **every)


def save_answers(path: Path, answers: Answers) -> None:
    """Keep answers in an .npz; the clips by their names."""
    arrays: dict[str, NDArray[Any]] = {"clips": np.array([c.name for c in answers.clips]), "labels": answers.labels}
    for name in KINDS_OF_ANSWERS:
        said = getattr(answers, name)
        if said is not None:
            arrays |= {f"{name}_probabilities": said.probabilities, f"{name}_clips": said.clips}
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


def load_answers(path: Path, dataset: Dataset) -> Answers:
    """What `save_answers` has kept about clips of a dataset."""
    known = {part.clip.name: part.clip for side in dataset.sides.values() for part in side}
    with np.load(path) as arrays:
        said = {
            name: Said(arrays[f"{name}_probabilities"], arrays[f"{name}_clips"])
            for name in KINDS_OF_ANSWERS
            if f"{name}_clips" in arrays
        }
        every = {name: said.get(name) for name in KINDS_OF_ANSWERS}
        return Answers([known[name] for name in arrays["clips"]], arrays["labels"], **every)
