import numpy as np
import pytest
from helpers.support import synthesise

from train.augment.variants import ROOMS, SPEEDS, make_variant
from train.augment.vocoder import vocode

pytestmark = pytest.mark.workstation

RATE = 22_050


def tone(rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 1000 * np.arange(4 * rate) / rate)).astype(np.float32)


def pitch(samples: np.ndarray, rate: int = RATE) -> float:
    """Hz of the loudest partial."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()])


@pytest.mark.parametrize(("kind", "low", "high"), [(kind, *ends) for kind, ends in SPEEDS.items()])
def test_tempo_and_pitch_move_together(kind: str, low: float, high: float) -> None:
    assert high < 1 if "slow" in kind else low > 1
    for content in (b"one", b"two", b"three"):
        copy = make_variant(content, tone(), RATE, kind)
        speed = pitch(copy) / 1000
        assert low <= speed <= high
        assert len(copy) == pytest.approx(4 * RATE / speed, rel=1e-3)
        assert copy.dtype == np.float32


@pytest.mark.parametrize("kind", SPEEDS)
def test_a_variant_has_the_same_speed_at_every_sample_rate(kind: str) -> None:
    ours, the_teachers = make_variant(b"one", tone(), RATE, kind), make_variant(b"one", tone(16_000), 16_000, kind)
    assert len(ours) / RATE == pytest.approx(len(the_teachers) / 16_000, abs=1e-3)
    assert pitch(ours) == pytest.approx(pitch(the_teachers, 16_000), abs=1)


@pytest.mark.parametrize("kind", ROOMS)
def test_a_variant_in_a_room_is_in_time_with_its_clip_and_differs_from_it(kind: str) -> None:
    music = synthesise(4.0, RATE, 1)[:, 0]
    copy = make_variant(b"one", music, RATE, kind)
    assert len(copy) == pytest.approx(len(music), abs=2)
    loudness, of_copy = (np.square(x[: 4 * RATE - 100]).reshape(-1, 100).mean(axis=1) for x in (music, copy))
    assert np.corrcoef(loudness, of_copy)[0, 1] > 0.3
    assert np.corrcoef(music[:-2], copy[: len(music) - 2])[0, 1] < 0.95


def test_the_two_rooms_of_a_clip_differ() -> None:
    one, other = (make_variant(b"one", tone(), RATE, kind) for kind in ROOMS)
    assert np.abs(one - other).max() > 0.01


@pytest.mark.parametrize("kind", [*SPEEDS, *ROOMS])
def test_a_variant_depends_on_the_bytes_of_the_file_alone(kind: str) -> None:
    first, again, other = (make_variant(content, tone(), RATE, kind) for content in (b"one", b"one", b"two"))
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other) or np.abs(first - other).max() > 0.01


def test_the_vocoded_variant_is_made_by_the_vocoder() -> None:
    np.testing.assert_array_equal(make_variant(b"one", tone(), RATE, "vocoded"), vocode(tone(), RATE))
