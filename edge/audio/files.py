"""Audio files in any format that libsndfile reads."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from edge.arrays import FloatArray
from edge.audio.source import AudioSource, Gap, block_frames
from edge.config import RATES
from edge.errors import EdgeError
from edge.outage import describe_os_error
from edge.stats import Stats

AUDIO_SUFFIXES = {".wav", ".ogg", ".oga", ".opus", ".flac", ".mp3", ".au", ".aif", ".aiff", ".aifc", ".caf", ".w64"}
MAX_SAMPLE = 65_536.0  # of a float file, which may exceed 1; larger samples overflow float32 when squared
FLOAT_SUBTYPES = ("FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_")  # others decode to finite samples in -1..1


class SequentialFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile ships no types
    """A sound file that is only read forwards.

    soundfile seeks to its own position after each read, and libsndfile forgets the bits that an MP3 decoder has kept of
    earlier frames when it seeks: the first frame of every block would be damaged.
    """

    def seekable(self) -> bool:
        """Return False."""
        return False


class FileSource(AudioSource):
    """An audio file, read as fast as its blocks are asked for."""

    def __init__(self, path: str | Path) -> None:
        """Open a file. Raise EdgeError if it is not an audio file, is empty, or its rate is outside RATES."""
        self._path = path
        try:
            self._file = SequentialFile(os.fsencode(path))  # a file name may not be valid UTF-8
        except (soundfile.LibsndfileError, OSError, TypeError) as error:  # TypeError: soundfile, of a file *.raw
            raise EdgeError(f"{path}: {_reason(path, error)}") from None
        super().__init__(self._file.samplerate, Stats(str(path)))
        self._is_float = self._file.subtype.startswith(FLOAT_SUBTYPES)
        self._is_16_bit = self._file.subtype == "PCM_16"
        if self._file.frames == 0:
            self.close()
            raise EdgeError(f"{path}: contains no audio")
        if not RATES[0] <= self.rate <= RATES[1]:
            self.close()
            raise EdgeError(f"{path}: the sample rate must be from {RATES[0]} to {RATES[1]} Hz, got {self.rate} Hz")

    def blocks(self) -> Iterator[FloatArray | Gap]:
        """Blocks of (n, channels) samples, `BLOCK_SECONDS` long except the last. Raise EdgeError for damaged audio."""
        frames = block_frames(self.rate, self._file.channels)
        while len(block := self._read(frames)):
            self.arrived = time.monotonic()
            yield block

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, frames: int) -> FloatArray:
        try:
            if self._is_16_bit:  # numpy converts the samples to the same floats as libsndfile, three times as fast
                integers: NDArray[np.int16] = self._file.read(frames, dtype="int16", always_2d=True)
                return integers * np.float32(1 / 32_768)
            block: FloatArray = self._file.read(frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise EdgeError(f"{self._path}: damaged audio: {error.error_string}") from None
        return sanitise(block) if self._is_float else block


def sanitise(block: FloatArray) -> FloatArray:
    """Replace NaN by 0 and clip to MAX_SAMPLE, since both would stay in the state of a model."""
    # A comparison with NaN is false.
    if block.min(initial=0.0) >= -MAX_SAMPLE and block.max(initial=0.0) <= MAX_SAMPLE:
        return block
    return np.clip(np.nan_to_num(block), -MAX_SAMPLE, MAX_SAMPLE)


def _reason(path: str | Path, error: Exception) -> str:
    try:
        is_folder = stat.S_ISDIR(Path(path).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    except OSError as reason:  # a folder above it may not be searched, its name is too long …
        return f"can't be read: {describe_os_error(reason)}"
    if is_folder:
        return "is a folder; edge-label reads folders"
    if not os.access(path, os.R_OK):
        return "can't be read: permission denied"
    if isinstance(error, soundfile.LibsndfileError):
        return f"not an audio file that libsndfile reads ({error.error_string.strip('. ')})"
    if isinstance(error, TypeError):
        return f"is raw PCM by its name; read it from a pipe: edge-listen - < {path}"
    return str(error)
