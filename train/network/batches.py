"""Batches for training, each drawn by a generator seeded with (seed, epoch): a resumed run sees what it would have."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.card import Normalisation
from edge.frontend import FloatArray
from train.augment.mel import Surroundings
from train.augment.variants import ROOMS, SPEEDS
from train.backend import tf
from train.corpus.dataset import Part
from train.corpus.features import cepstra
from train.distillation.musicnn import FEATURES as TEACHER_FEATURES
from train.distillation.targets import NO_LESSON, Key, Lesson, key_of
from train.recipes import Recipe, Stream

Batch = tuple[Any, ...]  # network inputs, targets and, where they are not all worth the same, weights


class Batches(Protocol):
    """The training side, epoch by epoch."""

    steps: int  # batches an epoch
    signature: tuple[Any, ...]  # of a batch, for tf.data

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch, the same ones whenever it is asked for."""


class WindowBatches:
    """Every segment once an epoch, in random order."""

    def __init__(self, inputs: FloatArray, targets: FloatArray, batch: int, seed: int) -> None:
        self._inputs, self._targets = inputs, targets
        self._batch, self._seed = batch, seed
        self.steps = -(-len(inputs) // batch)
        self.signature = tuple(tf.TensorSpec((None, *array.shape[1:])) for array in (inputs, targets))

    def epoch(self, number: int) -> Iterator[Batch]:
        """Batches of (n, frames, n_mfcc) and (n, labels)."""
        order = np.random.default_rng([self._seed, number]).permutation(len(self._inputs))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            yield self._inputs[chosen], self._targets[chosen]


class CropBatches:
    """Random crops of whole clips, every class as often, each in surroundings of its own.

    Of a class that has both recordings and reconstructions, each has its share whatever its number, and so have, of
    both, the clips themselves, copies at other speeds and copies in rooms. With a teacher, the network also learns what
    its `lessons` say of labelled clips; and a share of each batch is unlabelled music, whose targets are the teacher's
    opinion.
    """

    def __init__(
        self,
        parts: list[Part],
        labels: int,
        normalisation: Normalisation,
        recipe: Recipe,
        stream: Stream,
        seed: int,
        steps: int,
        lessons: dict[Key, Lesson] | None = None,
        unlabelled: list[tuple[FloatArray, Lesson]] | None = None,
    ) -> None:
        """Take `lessons` by `key_of` a part, and `unlabelled` log-mels with theirs."""
        # Of each class recordings and reconstructions, of each the clips, their copies at other speeds and in rooms.
        self._kinds: list[list[list[list[Part]]]] = [[[[], [], []] for _ in range(2)] for _ in range(labels)]
        for part in parts:
            copy = 1 if part.kind in SPEEDS else 2 if part.kind in ROOMS else 0
            self._kinds[part.label][part.reconstructed][copy].append(part)
        self._copy_shares = np.array(
            [1 - stream.speeds_share - stream.rooms_share, stream.speeds_share, stream.rooms_share]
        )
        self._mean = np.asarray(normalisation.mean, np.float32)
        self._scale = np.asarray(normalisation.scale, np.float32)
        self._recipe, self._stream, self._seed = recipe, stream, seed
        self._lessons, self._unlabelled = lessons, unlabelled or []
        self._surroundings = Surroundings(stream.augmentation, recipe.front_end)
        self.steps = steps
        self.signature = self._signature(labels)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Batches of blocks (n, T, block_frames, n_mfcc) and targets by output, the same for every block of a crop."""
        rng = np.random.default_rng([self._seed, number])
        for _ in range(self.steps):
            yield self._batch(rng)

    def _batch(self, rng: np.random.Generator) -> Batch:
        stream, front_end = self._stream, self._recipe.front_end
        without = round(self._recipe.batch * stream.unlabelled_share) if self._unlabelled else 0
        classes = rng.permutation(len(self._kinds))[np.arange(self._recipe.batch - without) % len(self._kinds)]
        chosen = [self._labelled(label, rng) for label in classes]
        chosen += [self._unlabelled[i] for i in rng.integers(len(self._unlabelled) or 1, size=without)]
        targets = one_hot(classes, len(self._kinds))
        if self._lessons is not None:
            opinions = np.stack([lesson.opinion for _, lesson in chosen])
            trust = np.where(np.arange(len(chosen)) < len(classes), stream.opinion_share, 1.0).astype(np.float32)
            targets = np.pad(targets, [(0, without), (0, 0)]) * (1 - trust)[:, None] + opinions * trust[:, None]
            # What goes round has to do so where its lesson does.
            chosen = [(log_mel[: len(lesson.features) * stream.window_frames], lesson) for log_mel, lesson in chosen]
        starts = [self._start(log_mel, rng) for log_mel, _ in chosen]
        # Lessons begin with a window of the teacher's. Less than a block later they are still true, and blocks that
        # begin at any frame are more to learn from than blocks that begin at the same ones in every epoch. The frames
        # that a clip lacks then come from its beginning.
        crops = np.stack(
            [
                around(log_mel, s + int(rng.integers(stream.block_frames)), stream.crop_frames)
                for (log_mel, _), s in zip(chosen, starts, strict=True)
            ]
        )
        crops = self._surroundings.around(crops.astype(np.float32), rng)
        blocks = (cepstra(crops, front_end) - self._mean) / self._scale
        blocks = blocks.reshape(len(crops), -1, stream.block_frames, front_end.n_mfcc)
        answers = of_branches(np.repeat(targets[:, None], blocks.shape[1], axis=1), stream)
        if self._lessons is None:
            return blocks, {"probabilities": answers}
        features = [
            around(lesson.features, s // stream.window_frames, stream.crop_windows)
            for (_, lesson), s in zip(chosen, starts, strict=True)
        ]
        return blocks, {"probabilities": answers, "teacher": of_branches(np.stack(features), stream)}

    def _labelled(self, label: int, rng: np.random.Generator) -> tuple[FloatArray, Lesson]:
        """A clip of a class."""
        recorded, reconstructed = self._kinds[label]
        copies = recorded
        if not any(recorded) or (any(reconstructed) and rng.random() < self._stream.reconstructed_share):
            copies = reconstructed
        shares = self._copy_shares * [len(parts) > 0 for parts in copies]
        parts = copies[rng.choice(len(copies), p=shares / shares.sum())]
        part = parts[rng.integers(len(parts))]
        return part.features, self._lessons[key_of(part)] if self._lessons is not None else NO_LESSON

    def _start(self, log_mel: FloatArray, rng: np.random.Generator) -> int:
        """The first frame of a crop; at the first of a window of the teacher's, if there is a teacher."""
        spare = max(0, len(log_mel) - self._stream.crop_frames)
        if self._lessons is None:
            return int(rng.integers(spare + 1))
        window_frames = self._stream.window_frames
        return window_frames * int(rng.integers(spare // window_frames + 1))

    def _signature(self, labels: int) -> tuple[Any, ...]:
        stream = self._stream
        blocks = tf.TensorSpec((None, None, stream.block_frames, self._recipe.front_end.n_mfcc))
        targets = {"probabilities": tf.TensorSpec((None, None, stream.branches, labels))}
        if self._lessons is not None:
            targets["teacher"] = tf.TensorSpec((None, stream.crop_windows, stream.branches, TEACHER_FEATURES))
        return blocks, targets


def of_branches(targets: FloatArray, stream: Stream) -> FloatArray:
    """The same targets for each branch: (n, T, numbers) → (n, T, branches, numbers)."""
    return np.repeat(targets[:, :, None], stream.branches, axis=2)


def around(course: FloatArray, start: int, length: int) -> FloatArray:
    """`length` rows of (n, …) from `start` on; a shorter course goes round."""
    if start + length <= len(course):
        return course[start : start + length]
    return course[(start + np.arange(length)) % len(course)]


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

    def __init__(self, batches: Batches) -> None:
        self.next_epoch = 0
        self._batches = batches
        dataset = tf.data.Dataset.from_generator(self._generate, output_signature=batches.signature)
        self.dataset = dataset.apply(tf.data.experimental.assert_cardinality(batches.steps)).prefetch(4)

    def _generate(self) -> Iterator[Batch]:
        yield from self._batches.epoch(self.next_epoch)
