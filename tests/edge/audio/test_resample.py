import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.resample import Resampler

TONE = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000).astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, len(TONE)), max_size=10))
def test_the_result_does_not_depend_on_the_block_boundaries(cuts: list[int]) -> None:
    resample = Resampler(48_000, 22_050)
    blocks = [resample(block[:, None]) for block in np.split(TONE, sorted(cuts))]
    blocks.append(resample(np.empty((0, 1), np.float32), last=True))
    assert np.allclose(np.concatenate(blocks), soxr.resample(TONE, 48_000, 22_050), atol=1e-5)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_and_level(rate: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    resampled = Resampler(rate, 22_050)(tone[:, None], last=True)
    spectrum = np.abs(np.fft.rfft(resampled * np.hanning(len(resampled)), 22_050))
    assert spectrum.argmax() == pytest.approx(440, abs=1)
    assert np.abs(resampled[5000:-5000]).max() == pytest.approx(1, abs=0.01)


def test_channels_are_averaged() -> None:
    stereo = np.stack([TONE, -TONE / 2], axis=1)
    assert np.allclose(Resampler(22_050, 22_050)(stereo), TONE / 4, atol=1e-6)
