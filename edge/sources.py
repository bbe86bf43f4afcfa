"""Where audio comes from: a file, or raw PCM on standard input. The microphone has a file of its own.

A source has a `rate` in Hz and `blocks()`, which yields (n, channels) float32 samples in -1..1, or None when a live
source has delivered nothing for LOST_SECONDS. It opens when it is made and closes when `blocks()` ends.
"""

import os
import select
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import soundfile

from edge.errors import EdgeError
from edge.frontend import FloatArray

BLOCK_SECONDS = 0.5
LOST_SECONDS = 2.0


class Source(Protocol):
    """What the ear listens to."""

    rate: int

    def blocks(self) -> Generator[FloatArray | None, None, None]:
        """Blocks of (n, channels) samples, None for LOST_SECONDS without any."""


class FileSource:
    """An audio file in any format that libsndfile reads, as fast as it is asked."""

    def __init__(self, path: str | Path) -> None:
        """Raise EdgeError for what is no audio file, or holds no sample."""
        self._path = path
        try:
            self._file = soundfile.SoundFile(os.fsencode(path))  # a name need not be UTF-8
        except (soundfile.LibsndfileError, OSError) as error:
            raise EdgeError(f"{path}: {_reason(path, error)}") from None
        self.rate: int = self._file.samplerate
        if self._file.frames == 0:
            self._file.close()
            raise EdgeError(f"{path}: holds no audio")

    def blocks(self) -> Generator[FloatArray | None, None, None]:
        """Blocks of (n, channels) samples, BLOCK_SECONDS long but for the last. Raise EdgeError where decoding ends."""
        with self._file as file:
            try:
                while len(block := file.read(int(self.rate * BLOCK_SECONDS), dtype="float32", always_2d=True)):
                    yield np.nan_to_num(block)  # a float file may hold NaN, which would stay in a model's state
            except soundfile.LibsndfileError as error:
                raise EdgeError(f"{self._path}: damaged audio: {error.error_string}") from None


class PcmSource:
    """Raw signed 16-bit little-endian PCM from a pipe: `arecord -f S16_LE -r 48000 -c 1 -t raw | edge-listen -`."""

    def __init__(self, stream: BinaryIO, rate: int, channels: int) -> None:
        """`rate` in Hz; `channels` are interleaved."""
        self.rate = rate
        self._stream = stream
        self._channels = channels

    def blocks(self) -> Generator[FloatArray | None, None, None]:
        """Blocks of (n, channels) samples as they arrive, at most BLOCK_SECONDS long."""
        frame = 2 * self._channels
        most = int(self.rate * BLOCK_SECONDS) * frame
        pending = b""
        while True:
            if not select.select([self._stream], [], [], LOST_SECONDS)[0]:
                yield None
                continue
            if not (data := os.read(self._stream.fileno(), most)):
                return
            pending += data
            whole = len(pending) // frame * frame
            samples = np.frombuffer(pending[:whole], "<i2").astype(np.float32) / np.float32(32768)
            pending = pending[whole:]
            if len(samples):
                yield samples.reshape(-1, self._channels)


def _reason(path: str | Path, error: Exception) -> str:
    if not Path(path).exists():
        return "no such file"
    if Path(path).is_dir():
        return "is a folder; edge-label reads folders"
    if isinstance(error, soundfile.LibsndfileError) and os.access(path, os.R_OK):
        return f"is no audio that libsndfile reads ({error.error_string.strip('. ')})"
    return "can't be read: permission denied" if not os.access(path, os.R_OK) else str(error)
