import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import synthesise

from edge.audio.files import MAX_SAMPLE, FileSource, sanitise
from edge.audio.source import BLOCK_SECONDS
from edge.errors import EdgeError


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_is_read_at_its_own_rate_with_all_its_channels(tmp_path: Path, suffix: str, channels: int) -> None:
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, synthesise(2.0, 44_100, channels), 44_100)
    with FileSource(path) as source:
        samples = np.concatenate(list(source.blocks()))
    assert source.rate == 44_100
    assert samples.shape == (pytest.approx(88_200, abs=2_400), channels)  # MP3 pads
    assert np.abs(samples).max() == pytest.approx(np.abs(synthesise(2.0, 44_100, 1)).max(), abs=0.1)


def test_blocks_are_half_a_second_except_the_last(melody: Path) -> None:
    with FileSource(melody) as source:
        assert source.arrived is None
        lengths = [len(block) for block in source.blocks()]
        assert source.arrived is not None
    assert set(lengths[:-1]) == {round(source.rate * BLOCK_SECONDS)}
    assert sum(lengths) == 8 * source.rate


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac", "wav"])
def test_the_blocks_of_a_file_are_the_samples_of_the_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"music.{suffix}"
    options = {"compression_level": 0.84, "bitrate_mode": "CONSTANT"} if suffix == "mp3" else {}  # 32 kbit/s
    soundfile.write(path, synthesise(4.0, 22_050, 1), 22_050, **options)
    with FileSource(path) as source:
        blocks = np.concatenate([block for block in source.blocks() if isinstance(block, np.ndarray)])
    np.testing.assert_array_equal(blocks, soundfile.read(path, dtype="float32", always_2d=True)[0])


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no audio at all" * 100, bytes(1000)])
def test_a_file_without_audio_is_named_and_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.wav"
    path.write_bytes(content)
    with pytest.raises(EdgeError, match=r"foreign\.wav: not an audio file that libsndfile reads"):
        FileSource(path)


def test_an_audio_file_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.empty((0, 1)), 48_000)
    with pytest.raises(EdgeError, match="contains no audio"):
        FileSource(tmp_path / "empty.wav")


def test_a_missing_file_and_a_folder_have_sentences_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="no such file"):
        FileSource(tmp_path / "none.wav")
    with pytest.raises(EdgeError, match="is a folder"):
        FileSource(tmp_path)
    with pytest.raises(EdgeError, match="can't be read: file name too long"):
        FileSource(tmp_path / ("n" * 300))


def test_a_raw_file_is_refused_with_the_way_to_read_it(tmp_path: Path) -> None:
    (tmp_path / "music.raw").write_bytes(bytes(1000))
    with pytest.raises(EdgeError, match=r"music\.raw: is raw PCM by its name; read it from a pipe: edge-listen - < "):
        FileSource(tmp_path / "music.raw")


def test_a_file_name_that_is_not_utf8_is_opened(melody: Path) -> None:
    odd = os.fsencode(melody.parent) + b"/\xff.wav"
    shutil.copy(melody, odd)
    with FileSource(os.fsdecode(odd)) as source:
        assert source.rate == 48_000


def test_nan_and_infinity_in_a_float_file_are_replaced(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "nan.wav", np.array([0.5, np.nan, np.inf, 0.5]), 48_000, subtype="FLOAT")
    with FileSource(tmp_path / "nan.wav") as source:
        assert np.concatenate(list(source.blocks())).ravel().tolist() == [0.5, 0.0, MAX_SAMPLE, 0.5]


def test_a_block_of_ordinary_samples_is_passed_on_without_a_copy() -> None:
    block = synthesise(0.5, 8000, 1)
    assert sanitise(block) is block


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_close_releases_the_file_and_may_be_called_twice(melody: Path) -> None:
    before = open_files()
    source = FileSource(melody)
    next(source.blocks())
    assert open_files() == before + 1
    source.close()
    source.close()
    assert open_files() == before


def test_leaving_the_context_closes_the_file(melody: Path) -> None:
    before = open_files()
    with pytest.raises(KeyError), FileSource(melody):
        raise KeyError
    assert open_files() == before


def test_a_refused_file_is_closed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.empty((0, 1)), 48_000)
    soundfile.write(tmp_path / "slow.wav", np.zeros((100, 1)), 100)
    before = open_files()
    for name in ("empty.wav", "slow.wav"):
        with pytest.raises(EdgeError):
            FileSource(tmp_path / name)
    assert open_files() == before
