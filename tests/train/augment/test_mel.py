from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.features.mfcc import AMIN, dct_basis, hz_to_mel, mel_to_hz
from train.augment.mel import MelAugmenter
from train.recipes import EDGE, Augmentation

assert EDGE.stream is not None
FRONT_END = EDGE.front_end
REAL = EDGE.stream.augmentation
NOTHING = replace(REAL, gain_db=0, eq_db=0, share=0, overdriven_share=0)
# A room, a noise and a microphone for every crop, each of which changes nothing.
EVERY = replace(NOTHING, share=1, wet_share=(0, 0), snr_db=(300, 300), low_hz=(1e-3, 1e-3), high_hz=(1e9, 1e9))


class Loudest(np.random.Generator):
    """Draws the greatest value of every range."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def uniform(self, low: float, high: float, size: object = None) -> np.ndarray:
        return np.full(size or (), high)


def crops(count: int = 3, frames: int = 40) -> np.ndarray:
    return np.random.default_rng(0).normal(-20, 10, (count, frames, FRONT_END.n_mels)).astype(np.float32)


def augment(settings: Augmentation, log_mel: np.ndarray, rng: np.random.Generator | int = 0) -> np.ndarray:
    return MelAugmenter(settings, FRONT_END).augment(log_mel, np.random.default_rng(rng))


def centres() -> np.ndarray:
    """Hz of the middle of each mel band."""
    ends = hz_to_mel(np.array([FRONT_END.f_min, FRONT_END.f_max]))
    return mel_to_hz(np.linspace(*ends, FRONT_END.n_mels + 2))[1:-1]


@pytest.mark.parametrize("settings", [NOTHING, EVERY], ids=["none", "of no effect"])
def test_augmentations_of_zero_strength_change_nothing(settings: Augmentation) -> None:
    np.testing.assert_allclose(augment(settings, crops()), crops(), atol=1e-3)


def test_digital_silence_stays_at_the_floor() -> None:
    silence = np.full((2, 40, FRONT_END.n_mels), 10 * np.log10(AMIN), np.float32)
    np.testing.assert_allclose(augment(NOTHING, silence), silence, atol=10 * np.log10(2) + 1e-3)


@given(st.floats(0, 20))
def test_a_gain_changes_every_band_equally(gain_db: float) -> None:
    louder = augment(replace(NOTHING, gain_db=gain_db), crops(), Loudest())
    np.testing.assert_allclose(louder - crops(), gain_db, atol=1e-3)


def test_gains_are_drawn_evenly_from_both_sides() -> None:
    gained = augment(replace(NOTHING, gain_db=12), crops(2000, 1)) - crops(2000, 1)
    assert np.ptp(gained, axis=(1, 2)).max() < 0.01
    gains = gained[:, 0, 0]
    assert np.abs(gains).max() <= 12.001
    np.testing.assert_allclose(np.quantile(gains, [0.25, 0.5, 0.75]), [-6, 0, 6], atol=1)


def test_an_equaliser_is_smooth() -> None:
    """It is a sum of the first cosines, so the MFCCs beyond them stay as they are."""
    settings = replace(NOTHING, eq_db=3)
    change = (augment(settings, crops(500)) - crops(500)) @ dct_basis(FRONT_END.n_mfcc, FRONT_END.n_mels)
    assert np.abs(change[..., [0, *range(settings.eq_terms + 1, FRONT_END.n_mfcc)]]).max() < 0.01
    deviations = change[:, 0].std(axis=0)[1 : settings.eq_terms + 1] / np.sqrt(FRONT_END.n_mels / 2)
    np.testing.assert_allclose(deviations, 3 / np.arange(1, settings.eq_terms + 1), rtol=0.15)


@pytest.mark.parametrize("seconds", [0.2, 0.5, 1.0])
def test_a_room_lets_an_impulse_decay_by_60_db_in_its_time(seconds: float) -> None:
    impulse = np.full((1, 60, FRONT_END.n_mels), -100, np.float32)
    impulse[:, 5] = 20
    room = replace(EVERY, reverberation_seconds=(seconds, seconds), wet_share=(0.4, 0.4))
    augmented = augment(room, impulse)[0].mean(axis=1)
    assert augmented[:5].max() < -96
    assert augmented[5] == pytest.approx(20 + 10 * np.log10(0.6), abs=0.01)
    tail = augmented[6 : 6 + round(seconds * FRONT_END.frame_rate / 4)]  # the first 15 dB of it
    np.testing.assert_allclose(np.diff(tail), -60 / (seconds * FRONT_END.frame_rate), atol=0.01)


@given(st.floats(0.15, 1.0), st.floats(0.05, 0.6))
def test_a_room_keeps_the_power_of_a_steady_sound(seconds: float, wet: float) -> None:
    steady = np.full((1, 60, FRONT_END.n_mels), -30, np.float32)
    augmented = augment(replace(EVERY, reverberation_seconds=(seconds, seconds), wet_share=(wet, wet)), steady)
    np.testing.assert_allclose(augmented[:, 50:], -30, atol=0.1)


@pytest.mark.parametrize("snr", [0.0, 10.0, 30.0])
def test_noise_raises_silence_to_its_level(snr: float) -> None:
    log_mel = np.full((8, 200, FRONT_END.n_mels), -100, np.float32)
    log_mel[:, :100] = 0  # so that the mean power is half of 1
    augmented = augment(replace(EVERY, snr_db=(snr, snr)), log_mel)
    floor = 10 * np.log10(np.mean(10 ** (augmented[:, 100:] / 10), axis=(1, 2)))
    np.testing.assert_allclose(floor, 10 * np.log10(0.5) - snr, atol=0.3)


def test_noise_is_between_white_and_pink_and_varies() -> None:
    log_mel = np.full((200, 30, FRONT_END.n_mels), -100, np.float32)
    log_mel[:, 0] = 0
    augmented = augment(replace(EVERY, snr_db=(0, 0)), log_mel)[:, 1:]
    by_band = 10 * np.log10(np.mean(10 ** (augmented / 10), axis=1))
    slopes = np.polyfit(np.log2(centres()), by_band.T, 1)[0]
    assert -7 < slopes.min() < -4.5
    assert -1.5 < slopes.max() < 1
    assert augmented.std(axis=1).mean() > 1


@pytest.mark.parametrize("below", [6.0, 20.0])
def test_clipping_distortion_is_proportional_to_the_power_of_a_frame(below: float) -> None:
    tone = np.full((4, 30, FRONT_END.n_mels), -100, np.float32)
    tone[:, :10, 60], tone[:, 10:20, 60] = 0, -20  # then silence
    augmented = augment(replace(NOTHING, overdriven_share=1, overdrive_db=(below, below)), tone)
    others = np.delete(10 ** (augmented / 10), 60, axis=2).sum(axis=2)
    added = 10 * np.log10(np.maximum(others[:, :20], 1e-9))
    np.testing.assert_allclose(added[:, :10], -below, atol=0.2)
    np.testing.assert_allclose(added[:, 10:], -20 - below, atol=0.2)
    assert augmented[:, 20:].max() < -80


def test_a_small_microphone_attenuates_outside_its_band() -> None:
    augmented = augment(replace(EVERY, low_hz=(250, 250), high_hz=(5000, 5000)), crops(50))
    change = (augmented - crops(50)).mean(axis=1)
    at = {hz: change[:, np.abs(centres() - hz).argmin()] for hz in (60, 250, 1100, 5000, 10_000)}
    assert at[60].max() < -11
    assert at[60].min() < -34  # of the third order
    assert at[10_000].max() < -6
    assert at[10_000].min() < -17
    np.testing.assert_allclose(at[250], -3, atol=0.6)
    np.testing.assert_allclose(at[5000], -3, atol=0.6)
    assert at[1100].min() > -0.6


def test_only_a_share_of_the_crops_is_changed() -> None:
    settings = replace(EVERY, share=0.3, low_hz=(250, 250), high_hz=(5000, 5000))
    change = np.abs(augment(settings, crops(1000, 2)) - crops(1000, 2)).max(axis=(1, 2))
    assert np.mean(change > 1) == pytest.approx(0.3, abs=0.05)


def test_the_augmentation_depends_on_the_seed_alone() -> None:
    first, again, other = (augment(REAL, crops(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1
    assert first.dtype == np.float32
    assert np.isfinite(first).all()


def test_the_argument_is_not_changed() -> None:
    given_crops = crops()
    augment(replace(REAL, share=1), given_crops)
    np.testing.assert_array_equal(given_crops, crops())
