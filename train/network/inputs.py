"""Arrays that networks take and learn from, made from examples of a dataset."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.arrays import FloatArray
from edge.model.card import Normalisation
from train.corpus.dataset import Example
from train.corpus.features import mfccs
from train.recipes import Recipe, Stream

MIN_STREAM_SECONDS = 20.0  # shorter streams are left out of `example_tensors` if there are longer ones


def normalise(features: FloatArray, normalisation: Normalisation) -> FloatArray:
    """Normalise MFCCs, (mfcc - mean) / scale: (..., n_mfcc) → (..., n_mfcc)."""
    mean, scale = (np.asarray(v, np.float32) for v in (normalisation.mean, normalisation.scale))
    return (features - mean) / scale


def to_blocks(frames: FloatArray, block_frames: int) -> FloatArray:
    """Cut frames into whole blocks: (frames, n_mfcc) → (frames // block_frames, block_frames, n_mfcc)."""
    count = len(frames) // block_frames
    return frames[: count * block_frames].reshape(count, block_frames, frames.shape[1])


def to_stream(example: Example, normalisation: Normalisation, recipe: Recipe, stream: Stream) -> FloatArray:
    """Input of a stream network for an example: (blocks, block_frames, n_mfcc)."""
    return to_blocks(normalise(mfccs(example.features, recipe), normalisation), stream.block_frames)


def one_hot(labels: NDArray[np.int64], count: int) -> FloatArray:
    """Targets of class numbers: (n,) → (n, count)."""
    targets: FloatArray = np.eye(count, dtype=np.float32)[labels]
    return targets


def example_tensors(
    examples: list[Example], recipe: Recipe, normalisation: Normalisation, limit: int | None, seed: int
) -> dict[str, NDArray[Any]]:
    """Network inputs of equal length.

    Parameters
    ----------
    examples
        Examples of one side.
    limit
        Maximum number of examples; more are drawn at random with `seed`. None takes them all.

    Returns
    -------
    dict of ndarray
        `inputs` (n, T, n_mfcc), `labels` (n,) and `tracks` (n,). T is a segment of a window recipe; for a stream recipe
        it is the whole blocks of the shortest clip, among clips of MIN_STREAM_SECONDS if there are any.
    """
    length = recipe.segment_frames
    if recipe.stream is not None:
        min_frames = MIN_STREAM_SECONDS * recipe.front_end.frame_rate
        long = [example for example in examples if len(example.features) >= min_frames] or examples
        shortest = min(len(example.features) for example in long)
        examples, length = long, shortest - shortest % recipe.stream.block_frames
    if limit is not None and len(examples) > limit:
        chosen = np.random.default_rng(seed).permutation(len(examples))[:limit]
        examples = [examples[i] for i in sorted(chosen)]
    return {
        "inputs": normalise(np.stack([mfccs(e.features[:length], recipe) for e in examples]), normalisation),
        "labels": np.array([example.label for example in examples]),
        "tracks": np.array([example.clip.name for example in examples]),
    }
