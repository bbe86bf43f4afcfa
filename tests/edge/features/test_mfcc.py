"""MFCCs against their definition. The comparison with librosa is in tests/train: a device has no librosa."""

import numpy as np
import pytest
from helpers.support import floats
from hypothesis import given

from edge.features.mfcc import AMIN, FrontEnd, MfccComputer, dct_basis, hz_to_mel, mel_filters, mel_to_hz, mfcc


@given(floats(0, 100_000))
def test_the_mel_scale_is_inverted(hz: float) -> None:
    assert np.allclose(mel_to_hz(hz_to_mel(hz)), hz, rtol=1e-9, atol=1e-6)


def test_the_mel_scale_has_slaneys_fixed_points() -> None:
    assert hz_to_mel(1000.0) == pytest.approx(15)
    assert hz_to_mel(6400.0) == pytest.approx(42)


def test_mel_filters_have_unit_area() -> None:
    front_end = FrontEnd(n_fft=16_384, n_mels=40)
    bin_width = front_end.sample_rate / front_end.n_fft
    assert np.allclose(mel_filters(front_end).sum(axis=1) * bin_width, 1, atol=0.01)


def test_mel_filters_are_zero_below_f_min() -> None:
    front_end = FrontEnd(f_min=30.0)
    bins = np.fft.rfftfreq(front_end.n_fft, 1 / front_end.sample_rate)
    assert not mel_filters(front_end)[:, bins <= 30].any()


def test_the_dct_is_orthonormal() -> None:
    basis = dct_basis(128, 128)
    assert np.allclose(basis @ basis.T, np.eye(128))


def test_silence_has_the_lowest_level() -> None:
    front_end = FrontEnd()
    silence = mfcc(np.zeros(4096, np.float32), front_end)
    assert silence[0, 0] == pytest.approx(10 * np.log10(AMIN) * np.sqrt(front_end.n_mels))
    assert np.allclose(silence[:, 1:], 0, atol=1e-4)


def test_gain_changes_only_the_first_coefficient() -> None:
    front_end = FrontEnd()
    noise = np.random.default_rng(0).normal(0, 0.1, 22_050).astype(np.float32)
    difference = mfcc(noise * 2, front_end) - mfcc(noise, front_end)
    assert np.allclose(difference[:, 0], 20 * np.log10(2) * np.sqrt(128), atol=1e-2)
    assert np.allclose(difference[:, 1:], 0, atol=1e-3)


def test_top_db_clips_relative_to_the_loudest_moment() -> None:
    clipped = FrontEnd(n_mfcc=128, top_db=80.0)
    samples = np.r_[np.random.default_rng(0).normal(size=4096), np.zeros(4096)].astype(np.float32)
    log_mel = mfcc(samples, clipped) @ dct_basis(128, 128).T
    assert log_mel.max() - log_mel.min() == pytest.approx(80, abs=1e-2)


def test_frame_count_is_the_number_of_frames_of_mfcc() -> None:
    for front_end in (FrontEnd(), FrontEnd(center=True)):
        for samples in (100, 2047, 2048, 2560, 66_150):
            assert len(mfcc(np.zeros(samples, np.float32), front_end)) == front_end.frame_count(samples)


def test_a_window_of_three_seconds_has_130_frames() -> None:
    assert FrontEnd(center=True, top_db=80.0).frame_count(66_150) == 130


@pytest.mark.parametrize(
    "wrong", [{"hop_length": 0}, {"n_mfcc": 200}, {"f_max": 12_000.0}, {"sample_rate": 10}, {"top_db": -1.0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FrontEnd(**wrong)  # type: ignore[arg-type]


def test_a_frame_depends_only_on_its_own_samples() -> None:
    computer = MfccComputer(FrontEnd())
    frames = np.random.default_rng(0).normal(size=(5, 2048)).astype(np.float32)
    alone = np.concatenate([computer.log_mel(frame[None]) for frame in frames])
    assert np.allclose(computer.log_mel(frames), alone, atol=1e-9)
