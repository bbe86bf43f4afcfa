from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.model.card import Normalisation
from train.corpus.clips import Clip
from train.corpus.dataset import Example
from train.corpus.features import mfcc_from_log_mel
from train.distillation.musicnn import EMBEDDING
from train.distillation.targets import NO_TARGET, SoftTarget
from train.network.batches import CropBatches, wrap
from train.network.inputs import one_hot, to_blocks
from train.network.loop import EpochDataset
from train.network.notebook import WindowBatches
from train.recipes import EDGE

pytestmark = pytest.mark.workstation

assert EDGE.stream is not None
N_MELS, N_MFCC = EDGE.front_end.n_mels, EDGE.front_end.n_mfcc
RECIPE = replace(EDGE, batch=8)
STREAM = replace(EDGE.stream, crop_windows=2)
PLAIN = replace(STREAM, augmentation=replace(STREAM.augmentation, gain_db=0, eq_db=0, share=0, overdriven_share=0))
WINDOW_FRAMES = STREAM.window_blocks * STREAM.block_frames
NOT_NORMALISED = Normalisation((0.0,) * N_MFCC, (1.0,) * N_MFCC)


def part(number: int, log_mel: np.ndarray, label: int) -> Example:
    return Example(log_mel, Clip(Path(f"{number}"), f"{number}", "x"), label)


def noisy(lengths: tuple[int, ...] = (300, 900, 1300, 130, 1292)) -> list[Example]:
    """Parts of two classes."""
    rng = np.random.default_rng(0)
    return [part(i, rng.normal(-20, 10, (n, N_MELS)).astype(np.float16), i % 2) for i, n in enumerate(lengths)]


def counting(windows: int) -> np.ndarray:
    """A log-mel whose level in dB is the number of its window."""
    return np.repeat(np.arange(windows, dtype=np.float32), WINDOW_FRAMES)[:, None].repeat(N_MELS, axis=1)


def soft_target(windows: int, probabilities: tuple[float, float]) -> SoftTarget:
    """Features that are the number of their window."""
    features = np.repeat(np.arange(windows, dtype=np.float32)[:, None], EMBEDDING, axis=1)
    return SoftTarget(features, np.array(probabilities, np.float32))


def crop_batches(parts: list[Example], **changes: object) -> CropBatches:
    settings = {"normalisation": NOT_NORMALISED, "recipe": RECIPE, "stream": PLAIN, "seed": 3, "steps": 4} | changes
    return CropBatches(parts, 2, **settings)  # type: ignore[arg-type]


def test_an_epoch_depends_on_seed_and_number_alone() -> None:
    batches = crop_batches(noisy(), stream=STREAM)
    for (a, b), (c, d) in zip(batches.epoch(7), crop_batches(noisy(), stream=STREAM).epoch(7), strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b["probabilities"], d["probabilities"])
    assert not np.array_equal(next(batches.epoch(7))[0], next(batches.epoch(8))[0])
    other_seed = crop_batches(noisy(), stream=STREAM, seed=4)
    assert not np.array_equal(next(batches.epoch(7))[0], next(other_seed.epoch(7))[0])


def test_classes_are_drawn_equally_and_every_block_has_the_target_of_its_clip() -> None:
    batches = list(crop_batches(noisy()).epoch(0))
    assert len(batches) == 4
    for blocks, targets in batches:
        assert blocks.shape == (8, STREAM.crop_windows * STREAM.window_blocks, STREAM.block_frames, N_MFCC)
        assert targets.keys() == {"probabilities"}
        np.testing.assert_array_equal(
            targets["probabilities"].sum(axis=0), np.full((*targets["probabilities"].shape[1:3], 2), 4)
        )


def test_a_crop_is_the_normalised_mfccs_of_its_clip() -> None:
    whole = noisy((1300,)) * 2
    parts = [whole[0], replace(whole[1], label=1)]
    normalisation = Normalisation(tuple(np.arange(N_MFCC) - 5.0), (2.0,) * N_MFCC)
    expected = (mfcc_from_log_mel(parts[0].features, EDGE.front_end) - (np.arange(N_MFCC) - 5)) / 2
    blocks, _ = next(crop_batches(parts, normalisation=normalisation).epoch(0))
    starts = set()
    for crop in blocks.reshape(len(blocks), PLAIN.crop_frames, N_MFCC):
        start = int(np.abs(expected - crop[0]).sum(axis=1).argmin())
        np.testing.assert_allclose(crop, expected[start : start + PLAIN.crop_frames], atol=1e-2)
        starts.add(start)
    assert len(starts) > 4


def test_each_batch_is_augmented() -> None:
    plain, changed = (next(crop_batches(noisy(), stream=s).epoch(0))[0] for s in (PLAIN, STREAM))
    assert np.abs(plain - changed).mean() > 1


def test_a_clip_that_is_shorter_than_a_crop_wraps_around() -> None:
    course = np.arange(10)[:, None]
    np.testing.assert_array_equal(wrap(course, 2, 5)[:, 0], [2, 3, 4, 5, 6])
    np.testing.assert_array_equal(wrap(course, 8, 15)[:, 0], [8, 9, *range(10), 0, 1, 2])
    blocks, _ = next(crop_batches(noisy((90, 100))).epoch(0))
    frames = blocks.reshape(8, PLAIN.crop_frames, N_MFCC)
    for crop in frames:
        length = 90 if np.allclose(crop[0], crop[90], atol=1e-3) else 100
        np.testing.assert_allclose(crop[length:], crop[: len(crop) - length], atol=1e-3)


def level(blocks: np.ndarray) -> np.ndarray:
    """Mean dB of the mel bands of each window of `counting`: (n, windows)."""
    return blocks[..., 0].reshape(len(blocks), -1, WINDOW_FRAMES).mean(axis=2) / np.sqrt(N_MELS)


def test_embeddings_belong_to_the_frames_of_their_crop() -> None:
    parts = [part(i, counting(9), i) for i in range(2)]
    soft_targets = {(f"{i}", None): soft_target(9, (0.5, 0.5)) for i in range(2)}
    found = [(level(x), y["teacher"]) for x, y in crop_batches(parts, targets=soft_targets, steps=10).epoch(0)]
    levels, embeddings = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    assert embeddings.shape == (80, PLAIN.crop_windows, PLAIN.branches, EMBEDDING)
    # A crop begins up to a block later than its target; at the end of a clip it may wrap around then.
    np.testing.assert_allclose(embeddings, np.broadcast_to(levels[..., None, None], embeddings.shape), atol=0.9)
    late = levels[:, 0] - embeddings[:, 0, 0, 0]
    assert late.min() < 0.001
    assert 0.05 < late.max() < STREAM.block_frames / WINDOW_FRAMES
    assert set(embeddings[:, 0, 0, 0]) == set(range(8))


def test_targets_wrap_around_with_a_clip_that_is_shorter_than_a_crop() -> None:
    """Faster variants are shorter; the frames after the last whole window have no target."""
    parts = [part(i, counting(3)[: WINDOW_FRAMES * 5 // 2], i) for i in range(2)]
    soft_targets = {(f"{i}", None): soft_target(2, (0.5, 0.5)) for i in range(2)}
    stream = replace(PLAIN, crop_windows=5)
    blocks, targets = next(crop_batches(parts, targets=soft_targets, stream=stream).epoch(0))
    late = STREAM.block_frames / WINDOW_FRAMES
    np.testing.assert_allclose(targets["teacher"][..., 0, 0], level(blocks), atol=late)


def test_a_variant_gets_the_target_of_its_kind() -> None:
    parts = [part(0, counting(9), 0), replace(part(0, 20 + counting(9), 0), variant="faster"), part(1, counting(9), 1)]
    soft_targets = {("0", None): soft_target(9, (0.9, 0.1)), ("0", "faster"): soft_target(9, (0.6, 0.4))}
    soft_targets[("1", None)] = soft_targets["0", None]
    batches = list(crop_batches(parts, targets=soft_targets, stream=replace(PLAIN, opinion_share=1.0)).epoch(0))
    copies = np.concatenate([level(blocks)[:, 0] > 15 for blocks, _ in batches])
    embeddings = np.concatenate([targets["probabilities"][:, 0, 0, 0] for _, targets in batches])
    assert 0 < copies.sum() < len(copies) / 2
    np.testing.assert_allclose(embeddings, np.where(copies, 0.6, 0.9), atol=1e-6)


def test_the_teachers_probabilities_are_a_share_of_a_labelled_target() -> None:
    soft_targets = {("0", None): soft_target(9, (0.9, 0.1)), ("1", None): soft_target(9, (0.2, 0.8))}
    stream = replace(PLAIN, opinion_share=0.25)
    parts = [part(i, counting(9), i) for i in range(2)]
    _, targets = next(crop_batches(parts, targets=soft_targets, stream=stream).epoch(0))
    rows = {tuple(np.round(row.tolist(), 4)) for row in targets["probabilities"][:, 0, 0]}
    assert rows == {(0.975, 0.025), (0.05, 0.95)}


def test_unlabelled_music_has_its_share_of_a_batch_and_the_teachers_probabilities_as_target() -> None:
    soft_targets = {("0", None): soft_target(9, (0.9, 0.1)), ("1", None): soft_target(9, (0.2, 0.8))}
    unlabelled = [(counting(9), soft_target(9, (0.4, 0.6)))]
    stream = replace(PLAIN, unlabelled_share=0.25, opinion_share=0)
    parts = [part(i, counting(9), i) for i in range(2)]
    for _, targets in crop_batches(parts, targets=soft_targets, unlabelled=unlabelled, stream=stream).epoch(0):
        rows = sorted(tuple(np.round(row.tolist(), 4)) for row in targets["probabilities"][:, 0, 0])
        assert rows == [(0, 1)] * 3 + [(0.4, 0.6)] * 2 + [(1, 0)] * 3


def windows() -> WindowBatches:
    return WindowBatches(np.arange(9, dtype=np.float32).reshape(9, 1, 1), one_hot(np.arange(9) % 2, 2), 4, 0)


def taught_crops() -> CropBatches:
    unlabelled = [(counting(9), soft_target(9, (0.4, 0.6)))]
    soft_targets = {(part.clip.name, None): soft_target(10, (0.4, 0.6)) for part in noisy()}
    return crop_batches(noisy(), targets=soft_targets, unlabelled=unlabelled, stream=STREAM, steps=2)


@pytest.mark.parametrize("make", [windows, lambda: crop_batches(noisy(), steps=2), taught_crops])
def test_the_dataset_yields_the_batches_of_the_next_epoch(make: Callable[[], WindowBatches | CropBatches]) -> None:
    epochs, batches = EpochDataset(make()), make()
    for number in (5, 0):
        epochs.next_epoch = number
        for (a, b), (c, d) in zip(epochs.dataset, batches.epoch(number), strict=True):
            np.testing.assert_array_equal(a, c.astype(np.float32))
            for name in d if isinstance(d, dict) else []:
                np.testing.assert_array_equal(b[name], d[name].astype(np.float32))


def test_each_window_is_drawn_once_per_epoch() -> None:
    inputs = np.arange(70, dtype=np.float32).reshape(70, 1, 1)
    batches = WindowBatches(inputs, one_hot(np.arange(70) % 2, 2), 32, 0)
    seen = [x.ravel() for x, _ in batches.epoch(0)]
    assert [len(x) for x in seen] == [32, 32, 6]
    assert batches.steps == 3
    assert sorted(np.concatenate(seen)) == list(range(70))


def test_frames_after_the_last_whole_block_are_left_out() -> None:
    frames = np.arange(20 * 3, dtype=np.float32).reshape(20, 3)
    np.testing.assert_array_equal(to_blocks(frames, 8).reshape(16, 3), frames[:16])


def test_the_target_in_place_of_a_missing_teacher_is_empty() -> None:
    assert NO_TARGET.embeddings.shape == (0, EMBEDDING)
    assert NO_TARGET.probabilities.shape == (0,)
