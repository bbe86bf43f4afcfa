"""Batches for training, each drawn by a generator seeded with (seed, epoch): a resumed run sees what it would have."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.card import Normalisation
from edge.frontend import FloatArray
from train import augment
from train.backend import tf
from train.dataset import Part
from train.recipes import Recipe, Stream

Batch = tuple[FloatArray, FloatArray]  # network inputs and one-hot targets


class Batches(Protocol):
    """The training side, epoch by epoch."""

    steps: int  # batches an epoch

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch, the same ones whenever it is asked for."""


class WindowBatches:
    """Every segment once an epoch, in random order."""

    def __init__(self, inputs: FloatArray, targets: FloatArray, batch: int, seed: int) -> None:
        self._inputs, self._targets = inputs, targets
        self._batch, self._seed = batch, seed
        self.steps = -(-len(inputs) // batch)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Batches of (n, frames, n_mfcc) and (n, labels)."""
        order = np.random.default_rng([self._seed, number]).permutation(len(self._inputs))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            yield self._inputs[chosen], self._targets[chosen]


class CropBatches:
    """Random crops of whole clips, every class as often, one length a batch, augmented.

    Of a class that has both recordings and reconstructions, each kind has its share whatever its number.
    """

    def __init__(
        self, parts: list[Part], labels: int, normalisation: Normalisation, recipe: Recipe, stream: Stream, seed: int
    ) -> None:
        self._kinds: list[list[list[FloatArray]]] = [[[], []] for _ in range(labels)]  # recorded, reconstructed
        for part in parts:
            self._kinds[part.label][part.reconstructed].append(to_blocks(part.features, stream.block_frames))
        self._mean = np.asarray(normalisation.mean, np.float32)
        self._scale = np.asarray(normalisation.scale, np.float32)
        self._recipe, self._stream, self._seed = recipe, stream, seed
        self.steps = max(1, round(len({p.clip.name for p in parts}) * stream.crops_per_clip / recipe.batch))

    def epoch(self, number: int) -> Iterator[Batch]:
        """Batches of (n, T, block_frames, n_mfcc) and (n, labels)."""
        rng = np.random.default_rng([self._seed, number])
        settings = self._stream.augmentation
        for _ in range(self.steps):
            length = int(rng.choice(self._stream.crop_blocks))
            labels = rng.permutation(len(self._kinds))[np.arange(self._recipe.batch) % len(self._kinds)]
            crops = np.stack([self._crop(label, length, rng) for label in labels])
            crops = augment.colour(crops, settings, self._recipe.front_end.n_mels, rng)
            yield (crops - self._mean) / self._scale, one_hot(labels, len(self._kinds))

    def _crop(self, label: int, length: int, rng: np.random.Generator) -> FloatArray:
        """`length` blocks from anywhere in a clip of a class; a shorter clip goes round."""
        recorded, reconstructed = self._kinds[label]
        clips = recorded or reconstructed
        if recorded and reconstructed and rng.random() < self._stream.reconstructed_share:
            clips = reconstructed
        blocks = clips[rng.integers(len(clips))]
        spare = len(blocks) - length
        if spare >= 0:
            start = rng.integers(spare + 1)
            return blocks[start : start + length]
        return blocks[(rng.integers(len(blocks)) + np.arange(length)) % len(blocks)]


def to_blocks(frames: FloatArray, block_frames: int) -> FloatArray:
    """Frames in whole blocks: (frames, n_mfcc) → (frames // block_frames, block_frames, n_mfcc)."""
    count = len(frames) // block_frames
    return frames[: count * block_frames].reshape(count, block_frames, frames.shape[1])


def one_hot(labels: NDArray[np.int64], count: int) -> FloatArray:
    """Targets of class numbers: (n,) → (n, count)."""
    targets: FloatArray = np.eye(count, dtype=np.float32)[labels]
    return targets


class EpochDataset:
    """The batches of whichever epoch is to come, as one `tf.data.Dataset` of fixed type, so that nothing retraces."""

    def __init__(self, batches: Batches, input_shape: tuple[int | None, ...], labels: int) -> None:
        self.next_epoch = 0
        self._batches = batches
        signature = (tf.TensorSpec((None, *input_shape)), tf.TensorSpec((None, labels)))
        dataset = tf.data.Dataset.from_generator(self._generate, output_signature=signature)
        self.dataset = dataset.apply(tf.data.experimental.assert_cardinality(batches.steps)).prefetch(2)

    def _generate(self) -> Iterator[Batch]:
        yield from self._batches.epoch(self.next_epoch)
