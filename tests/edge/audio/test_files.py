import os
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import synthesise

from edge import sources
from edge.errors import EdgeError
from edge.audio.files import FileSource
from edge.audio.pcm import PcmSource


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_comes_at_its_own_rate_and_channels(tmp_path: Path, suffix: str, channels: int) -> None:
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, synthesise(2.0, 44_100, channels), 44_100)
    source = FileSource(path)
    heard = np.concatenate(list(source.blocks()))
    assert source.rate == 44_100
    assert heard.shape == (pytest.approx(88_200, abs=2_400), channels)  # MP3 pads
    assert np.abs(heard).max() == pytest.approx(np.abs(synthesise(2.0, 44_100, 1)).max(), abs=0.1)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no audio at all" * 100, bytes(1000)])
def test_what_is_no_audio_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.wav"
    path.write_bytes(content)
    with pytest.raises(EdgeError, match=r"foreign\.wav: is no audio"):
        FileSource(path)


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.empty((0, 1)), 48_000)
    with pytest.raises(EdgeError, match="holds no audio"):
        FileSource(tmp_path / "empty.wav")


def test_missing_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="no such file"):
        FileSource(tmp_path / "none.wav")
    with pytest.raises(EdgeError, match="is a folder"):
        FileSource(tmp_path)


def test_a_not_a_number_in_a_float_file_does_no_harm(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "nan.wav", np.array([0.5, np.nan, np.inf, 0.5]), 48_000, subtype="FLOAT")
    assert np.isfinite(np.concatenate(list(FileSource(tmp_path / "nan.wav").blocks()))).all()


def piped(content: list[bytes]) -> list[np.ndarray | None]:
    reader, writer = os.pipe()

    def feed() -> None:
        for part in content:
            os.write(writer, part)
        os.close(writer)

    thread = threading.Thread(target=feed)
    thread.start()
    with os.fdopen(reader, "rb", buffering=0) as stream:
        blocks = list(PcmSource(stream, 48_000, 2).blocks())
    thread.join()
    return blocks


def test_pcm_survives_any_cutting_of_the_bytes() -> None:
    samples = np.arange(-1000, 1000, dtype="<i2")
    content = samples.tobytes()
    blocks = piped([content[:1], content[1:7], content[7:1002], content[1002:]])
    assert np.array_equal(np.concatenate(blocks), samples.reshape(-1, 2) / np.float32(32768))


def test_32_bits_are_as_loud_as_16() -> None:
    reader, writer = os.pipe()
    os.write(writer, np.array([2**30, -(2**31)], "<i4").tobytes())
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as stream:
        assert np.concatenate(list(PcmSource(stream, 48_000, 1, 32).blocks())).tolist() == [[0.5], [-1.0]]


def test_a_pipe_that_delivers_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LOST_SECONDS", 0.05)
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as stream:
        blocks = PcmSource(stream, 48_000, 1).blocks()
        assert isinstance(next(blocks), sources.Gap)
        os.write(writer, b"\0\x40")
        assert next(blocks) == [[0.5]]
        os.close(writer)
        assert list(blocks) == []
