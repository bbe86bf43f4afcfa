from pathlib import Path

import numpy as np

from edge.card import Normalisation
from edge.frontend import mfcc
from train import augment
from train.batches import CropBatches, EpochDataset, WindowBatches, one_hot, to_blocks
from train.corpus import Clip
from train.dataset import Part
from train.recipes import EDGE, Augmentation

assert EDGE.stream is not None


def crop_batches() -> CropBatches:
    rng = np.random.default_rng(0)
    parts = [
        Part(rng.normal(size=(frames, 20)).astype(np.float32), Clip(Path(f"{i}"), f"{i}", "x"), i % 2)
        for i, frames in enumerate((300, 900, 1300, 130, 1292))
    ]
    return CropBatches(parts, 2, Normalisation((0.0,) * 20, (1.0,) * 20), EDGE, EDGE.stream, seed=3)


def test_an_epoch_is_the_same_whenever_it_is_asked_for() -> None:
    batches = crop_batches()
    for (a, b), (c, d) in zip(batches.epoch(7), crop_batches().epoch(7), strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)
    assert not np.array_equal(next(batches.epoch(7))[0], next(batches.epoch(8))[0])


def test_every_class_is_drawn_as_often() -> None:
    for _, targets in crop_batches().epoch(0):
        np.testing.assert_array_equal(targets.sum(axis=0), [EDGE.batch / 2] * 2)


def test_windows_come_once_an_epoch() -> None:
    inputs = np.arange(70, dtype=np.float32).reshape(70, 1, 1)
    batches = WindowBatches(inputs, one_hot(np.arange(70) % 2, 2), 32, 0)
    seen = [x.ravel() for x, _ in batches.epoch(0)]
    assert [len(x) for x in seen] == [32, 32, 6]
    assert batches.steps == 3
    assert sorted(np.concatenate(seen)) == list(range(70))


def test_the_dataset_follows_the_epoch() -> None:
    batches = WindowBatches(np.arange(9, dtype=np.float32).reshape(9, 1, 1), one_hot(np.arange(9) % 2, 2), 4, 0)
    epochs = EpochDataset(batches, (1, 1), 2)
    for number in (5, 0):
        epochs.next_epoch = number
        for (a, _), (b, _) in zip(epochs.dataset, batches.epoch(number), strict=True):
            np.testing.assert_array_equal(a, b)


def test_frames_that_fill_no_block_are_left_out() -> None:
    frames = np.arange(20 * 3, dtype=np.float32).reshape(20, 3)
    np.testing.assert_array_equal(to_blocks(frames, 8).reshape(16, 3), frames[:16])


def test_gain_in_the_mfcc_domain_is_gain() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.1, 22_050).astype(np.float32)
    plain, louder = (to_blocks(mfcc(gain * samples, EDGE.front_end), 8)[None] for gain in (1.0, 10 ** (6 / 20)))
    gained = augment.colour(plain, Augmentation(6, 0, 0), 128, Loudest())
    np.testing.assert_allclose(gained, louder, atol=1e-3)


class Loudest(np.random.Generator):
    """Draws the greatest value of every range."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def uniform(self, low: float, high: float, size: int) -> np.ndarray:
        return np.full(size, high)


def test_without_amounts_nothing_changes() -> None:
    blocks = np.random.default_rng(0).normal(size=(3, 10, 8, 20)).astype(np.float32)
    quiet = Augmentation(gain_db=0, eq_db=0, eq_terms=4)
    np.testing.assert_array_equal(augment.colour(blocks, quiet, 128, np.random.default_rng(0)), blocks)
