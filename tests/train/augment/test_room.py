import numpy as np
import pytest

from train.augment.room import DISTANCE, GAIN_DB, RATE, coloured_noise, impulse_response, in_room, random_places, rms

pytestmark = pytest.mark.workstation

SECONDS = 2
SNR_DB = 15.0
SEEDS = range(5)


def recorded(samples: np.ndarray, seed: int) -> np.ndarray:
    return in_room(samples, SNR_DB, np.random.default_rng(seed))


def tone(frequency: float, amplitude: float = 0.05) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(SECONDS * RATE) / RATE)).astype(np.float32)


def power(samples: np.ndarray, low: float, high: float) -> float:
    """Power between two frequencies in Hz, without the first half second, in which a room fills."""
    spectrum = np.abs(np.fft.rfft(samples[RATE // 2 :])) ** 2
    frequencies = np.fft.rfftfreq(len(samples) - RATE // 2, 1 / RATE)
    return float(spectrum[(low <= frequencies) & (frequencies < high)].sum())


def test_a_seed_determines_the_room() -> None:
    samples = tone(1000)
    first, again, another = (recorded(samples, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.allclose(first, another, atol=1e-2)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_room_changes_the_level_by_the_gain_only(seed: int) -> None:
    samples = tone(1000)
    in_the_room = recorded(samples, seed)
    assert in_the_room.shape == samples.shape
    assert in_the_room.dtype == np.float32
    assert abs(20 * np.log10(rms(in_the_room) / rms(samples))) < GAIN_DB + 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_the_noise_has_the_requested_snr(seed: int) -> None:
    in_the_room = recorded(tone(1000), seed)
    music = power(in_the_room, 990, 1010)
    assert 10 * np.log10(music / (power(in_the_room, 0, RATE / 2) - music)) == pytest.approx(SNR_DB, abs=1.5)


def test_the_microphone_attenuates_outside_its_band() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, SECONDS * RATE).astype(np.float32)
    in_the_room = recorded(noise, 0)
    inside = power(in_the_room, 1000, 2000) / 1000
    assert power(in_the_room, 15_000, 20_000) / 5000 < inside / 5
    assert power(in_the_room, 10, 40) / 30 < inside / 5


def test_samples_above_full_scale_are_clipped() -> None:
    loudest = max((recorded(tone(1000, 0.9), seed) for seed in SEEDS), key=rms)
    assert np.abs(loudest).max() == 1.0


def test_silence_in_a_room_is_silence() -> None:
    assert not recorded(np.zeros(RATE, np.float32), 0).any()


@pytest.mark.parametrize("seed", range(5))
def test_a_room_has_a_plausible_reverberation_time(seed: int) -> None:
    energy = impulse_response(np.random.default_rng(seed)) ** 2
    left = np.cumsum(energy[::-1])[::-1] / energy.sum()  # Schroeder 1965
    assert 0.03 < np.argmax(left < 1e-3) / RATE < 0.7  # 30 dB take half of the reverberation time


@pytest.mark.parametrize("seed", range(5))
def test_source_and_microphone_are_in_the_room_at_an_allowed_distance(seed: int) -> None:
    size = np.array([5.0, 4.0, 2.5])
    source, microphone = random_places(size, np.random.default_rng(seed))
    assert DISTANCE[0] <= np.linalg.norm(source - microphone) <= DISTANCE[1]
    assert ((source > 0) & (source < size) & (microphone > 0) & (microphone < size)).all()


@pytest.mark.parametrize("length", [1, 1009, 96_000])
def test_noise_has_the_requested_length(length: int) -> None:
    assert coloured_noise(length, np.random.default_rng(0)).shape == (length,)
