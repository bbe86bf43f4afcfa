"""Training batches of a stream network: random crops of whole clips, each in random surroundings.

A generator that is seeded with (seed, epoch) draws each epoch, so a resumed run gets the same batches.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from edge.arrays import FloatArray
from edge.model.card import Normalisation
from train.augment.mel import MelAugmenter
from train.augment.variants import ROOMS, SPEEDS
from train.backend import tf
from train.corpus.dataset import Example
from train.corpus.features import mfcc_from_log_mel
from train.distillation.musicnn import EMBEDDING
from train.distillation.targets import NO_TARGET, SoftTarget, TargetKey, target_key
from train.network.inputs import one_hot
from train.network.loop import Batch
from train.recipes import Recipe, Stream


class CropBatches:
    """Random crops of whole clips, all classes equally often, each in random surroundings.

    If a class has both recordings and reconstructions, each kind has its share whatever the number of clips; within
    both, so have the clips themselves, variants at other speeds and variants in rooms. With a teacher the network also
    learns the teacher's embeddings; and a share of each batch is unlabelled music, whose targets are the teacher's
    label probabilities.

    Parameters
    ----------
    examples
        Examples of the training side, variants included.
    labels
        Number of classes.
    normalisation
        Applied to the MFCCs.
    recipe, stream
        Settings of the front end, the batches and the crops.
    seed
        With the number of an epoch it decides everything that is random.
    steps
        Batches in an epoch.
    targets
        Targets by `target_key` of an example; None without a teacher.
    unlabelled
        Log-mel (frames, n_mels) and target of each piece of unlabelled music.
    """

    def __init__(
        self,
        examples: list[Example],
        labels: int,
        normalisation: Normalisation,
        recipe: Recipe,
        stream: Stream,
        seed: int,
        steps: int,
        targets: dict[TargetKey, SoftTarget] | None = None,
        unlabelled: list[tuple[FloatArray, SoftTarget]] | None = None,
    ) -> None:
        # By class, then recordings and reconstructions, then clips, variants at other speeds and variants in rooms.
        self._kinds: list[list[list[list[Example]]]] = [[[[], [], []] for _ in range(2)] for _ in range(labels)]
        for example in examples:
            kind = 1 if example.variant in SPEEDS else 2 if example.variant in ROOMS else 0
            self._kinds[example.label][example.reconstructed][kind].append(example)
        self._kind_shares = np.array(
            [1 - stream.speeds_share - stream.rooms_share, stream.speeds_share, stream.rooms_share]
        )
        self._mean = np.asarray(normalisation.mean, np.float32)
        self._scale = np.asarray(normalisation.scale, np.float32)
        self._recipe, self._stream, self._seed = recipe, stream, seed
        self._targets, self._unlabelled = targets, unlabelled or []
        self._augmenter = MelAugmenter(stream.augmentation, recipe.front_end)
        self.steps = steps
        self.signature = self._signature(labels)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Batches of blocks (n, T, block_frames, n_mfcc) and targets by output, equal for all blocks of a crop."""
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
        if self._targets is not None:
            opinions: FloatArray = np.stack([target.probabilities for _, target in chosen])
            labelled = np.arange(len(chosen)) < len(classes)
            trust: FloatArray = np.where(labelled, stream.opinion_share, 1.0).astype(np.float32)[:, None]
            padded: FloatArray = np.pad(targets, [(0, without), (0, 0)])
            targets = padded * (1 - trust) + opinions * trust
            # Crop to the teacher's whole windows before wrapping around.
            chosen = [(log_mel[: len(target.embeddings) * stream.window_frames], target) for log_mel, target in chosen]
        starts = [self._start(log_mel, rng) for log_mel, _ in chosen]
        # Targets begin with a window of the teacher. They hold for crops that begin up to a block later, too, and
        # blocks from any frame are more to learn from than blocks from the same frames in every epoch. The frames that
        # a clip then lacks at its end come from its beginning.
        crops = np.stack(
            [
                wrap(log_mel, start + int(rng.integers(stream.block_frames)), stream.crop_frames)
                for (log_mel, _), start in zip(chosen, starts, strict=True)
            ]
        )
        crops = self._augmenter.augment(crops.astype(np.float32), rng)
        blocks = (mfcc_from_log_mel(crops, front_end) - self._mean) / self._scale
        blocks = blocks.reshape(len(crops), -1, stream.block_frames, front_end.n_mfcc)
        probabilities = for_branches(np.repeat(targets[:, None], blocks.shape[1], axis=1), stream)
        if self._targets is None:
            return blocks, {"probabilities": probabilities}
        embeddings = [
            wrap(target.embeddings, start // stream.window_frames, stream.crop_windows)
            for (_, target), start in zip(chosen, starts, strict=True)
        ]
        return blocks, {"probabilities": probabilities, "teacher": for_branches(np.stack(embeddings), stream)}

    def _labelled(self, label: int, rng: np.random.Generator) -> tuple[FloatArray, SoftTarget]:
        """Draw an example of a class: its log-mel and its target."""
        recorded, reconstructed = self._kinds[label]
        kinds = recorded
        if not any(recorded) or (any(reconstructed) and rng.random() < self._stream.reconstructed_share):
            kinds = reconstructed
        shares = self._kind_shares * [len(examples) > 0 for examples in kinds]
        examples = kinds[rng.choice(len(kinds), p=shares / shares.sum())]
        example = examples[rng.integers(len(examples))]
        return example.features, self._targets[target_key(example)] if self._targets is not None else NO_TARGET

    def _start(self, log_mel: FloatArray, rng: np.random.Generator) -> int:
        """Draw the first frame of a crop; with a teacher it is the first frame of one of its windows."""
        spare = max(0, len(log_mel) - self._stream.crop_frames)
        if self._targets is None:
            return int(rng.integers(spare + 1))
        window_frames = self._stream.window_frames
        return window_frames * int(rng.integers(spare // window_frames + 1))

    def _signature(self, labels: int) -> tuple[Any, ...]:
        stream = self._stream
        blocks = tf.TensorSpec((None, None, stream.block_frames, self._recipe.front_end.n_mfcc))
        targets = {"probabilities": tf.TensorSpec((None, None, stream.branches, labels))}
        if self._targets is not None:
            targets["teacher"] = tf.TensorSpec((None, stream.crop_windows, stream.branches, EMBEDDING))
        return blocks, targets


def for_branches(targets: FloatArray, stream: Stream) -> FloatArray:
    """Repeat targets for each branch: (n, T, values) → (n, T, branches, values)."""
    repeated: FloatArray = np.repeat(targets[:, :, None], stream.branches, axis=2)
    return repeated


def wrap(array: FloatArray, start: int, length: int) -> FloatArray:
    """Take `length` rows of (n, …) from row `start`, wrapping around at the end."""
    if start + length <= len(array):
        return array[start : start + length]
    wrapped: FloatArray = array[(start + np.arange(length)) % len(array)]
    return wrapped
