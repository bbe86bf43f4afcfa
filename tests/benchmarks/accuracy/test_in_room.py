from pathlib import Path

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.workstation

SECONDS = 2


def tone(frequency: float, rate: int) -> np.ndarray:
    return (0.05 * np.sin(2 * np.pi * frequency * np.arange(SECONDS * rate) / rate)).astype(np.float32)


def test_recordings_are_files_at_the_microphones_rate_and_a_file_that_is_not_audio_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.accuracy.in_room import record
    from train.augment.room import RATE
    from train.corpus.clips import Clip

    soundfile.write(tmp_path / "good.wav", tone(500, RATE)[::3], RATE // 3)
    (tmp_path / "bad.wav").write_text("no audio")
    clips = [Clip(tmp_path / f"{name}.wav", f"jazz/{name}.wav", "jazz") for name in ("bad", "good")]
    (copy,) = record(clips, tmp_path / "room")
    assert (copy.name, copy.label) == ("jazz/good.wav", "jazz")
    info = soundfile.info(copy.path)
    assert (info.samplerate, info.channels, info.frames) == (RATE, 1, SECONDS * RATE)
    assert capsys.readouterr().err.startswith("skipped jazz/bad.wav in the room: unreadable")


def test_a_clip_gives_the_same_recording_in_every_run(tmp_path: Path) -> None:
    from benchmarks.accuracy.in_room import record
    from train.augment.room import RATE
    from train.corpus.clips import Clip

    soundfile.write(tmp_path / "good.wav", tone(500, RATE), RATE)
    clip = Clip(tmp_path / "good.wav", "jazz/good.wav", "jazz")
    first, again = (record([clip], tmp_path / folder)[0].path.read_bytes() for folder in ("one", "two"))
    assert first == again
