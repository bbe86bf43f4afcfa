from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.benchmark.source import looped, paced, write_repeated, write_source
from edge.errors import EdgeError

RATE = 8_000


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    """Five samples."""
    soundfile.write(tmp_path / "ramp.wav", np.arange(5) / 8, RATE, subtype="FLOAT")
    return tmp_path / "ramp.wav"


def test_audio_starts_again_at_its_end(ramp: Path) -> None:
    blocks = list(looped(ramp, length=4, count=3))
    assert (np.concatenate(blocks)[:, 0] * 8).tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]


def test_a_repeated_file_has_the_length_that_was_asked_for(ramp: Path, tmp_path: Path) -> None:
    write_repeated(ramp, tmp_path / "long.wav", 2.5)
    info = soundfile.info(tmp_path / "long.wav")
    assert (info.frames, info.samplerate, info.subtype) == (round(2.5 * RATE), RATE, "PCM_16")
    samples, _ = soundfile.read(tmp_path / "long.wav")
    np.testing.assert_allclose(samples, np.arange(len(samples)) % 5 / 8, atol=1e-4)


def test_a_source_is_mono_at_its_rate_and_no_longer_than_asked_for(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "stereo.wav", np.full((3 * RATE, 2), 0.25), RATE)
    write_source(tmp_path / "stereo.wav", tmp_path / "out.wav", seconds=2.0, rate=2 * RATE)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.channels) == (2 * RATE, 1)
    assert info.frames == pytest.approx(2 * 2 * RATE, abs=2)


def test_a_file_that_is_not_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("text")
    with pytest.raises(EdgeError, match=r"text\.wav"):
        write_source(tmp_path / "text.wav", tmp_path / "out.wav", 1.0)


def test_paced_blocks_come_no_faster_than_they_would_be_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr("time.sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    times = []
    for _ in paced(iter([np.zeros((1, 1), np.float32)] * 3), 0.5):
        times.append(clock[0])
        clock[0] += 0.1  # processing
    assert times == [100.5, 101.0, 101.5]
