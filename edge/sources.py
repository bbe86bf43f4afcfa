"""Where audio comes from: a file, or raw PCM on standard input. The microphone has a file of its own.

A source has a `rate` in Hz and `blocks()`, which yields (n, channels) float32 samples in -1..1, and a Gap for time that
has passed without any. After a gap the rate may be another. It opens when it is made and closes when `blocks()` ends.
"""

import os
import select
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import soundfile

from edge.errors import EdgeError, UsageError
from edge.frontend import FloatArray
from edge.health import Health
from edge.ledger import LOST_SECONDS
from edge.quiet import quiet_native_code

BLOCK_SECONDS = 0.5

# What a source may say of itself. Seconds are counted in samples: at 1 Hz a small file would be a year of audio.
RATES = (1000, 768_000)
MOST_CHANNELS = 1024  # as in libsndfile
LARGEST_BLOCK = 1 << 20  # values: a block of very many channels is shorter than BLOCK_SECONDS
LOUDEST = 65_536.0  # of a float file, which may go beyond 1; the square of far more is no number any more


@dataclass(frozen=True)
class Gap:
    """Time in which a live source delivered nothing, or nothing that was taken; `why` in words, if it is known."""

    seconds: float
    why: str | None = None


class Source(Protocol):
    """What the ear listens to. `arrived` is when the last sample of the latest block came, by time.monotonic()."""

    rate: int
    arrived: float
    health: Health

    def blocks(self) -> Generator[FloatArray | Gap, None, None]:
        """Blocks of (n, channels) samples, and gaps between them."""


class FileSource:
    """An audio file in any format that libsndfile reads, as fast as it is asked."""

    def __init__(self, path: str | Path) -> None:
        """Raise EdgeError for what is no audio file, holds no sample, or is at a rate outside RATES."""
        self._path = path
        try:
            with quiet_native_code():  # libmpg123 speaks of damage to standard error, and goes on
                self._file = soundfile.SoundFile(os.fsencode(path))  # a name need not be UTF-8
        except (soundfile.LibsndfileError, OSError) as error:
            raise EdgeError(f"{path}: {_reason(path, error)}") from None
        self.rate: int = self._file.samplerate
        self.arrived = 0.0
        self.health = Health(str(path))
        if self._file.frames == 0:
            self._file.close()
            raise EdgeError(f"{path}: holds no audio")
        if not RATES[0] <= self.rate <= RATES[1]:
            self._file.close()
            raise EdgeError(f"{path}: has {self.rate} Hz, and has to have {RATES[0]} to {RATES[1]}")

    def blocks(self) -> Generator[FloatArray, None, None]:
        """Blocks of (n, channels) samples, BLOCK_SECONDS long but for the last. Raise EdgeError where decoding ends."""
        with self._file as file:
            frames = _block_frames(self.rate, file.channels)
            try:
                while len(block := _read(file, frames)):
                    self.arrived = time.monotonic()
                    # A float file may hold NaN, or more than there is, which would stay in a model's state.
                    yield np.clip(np.nan_to_num(block), -LOUDEST, LOUDEST)
            except soundfile.LibsndfileError as error:
                raise EdgeError(f"{self._path}: damaged audio: {error.error_string}") from None


class PcmSource:
    """Raw signed little-endian PCM from a pipe: `arecord -f S16_LE -r 48000 -c 1 -t raw | edge-listen -`."""

    def __init__(self, stream: BinaryIO, rate: int, channels: int, bits: int = 16) -> None:
        """`rate` in Hz; `channels` are interleaved; `bits` a sample: 16 or 32. Raise UsageError for what can't be."""
        if not RATES[0] <= rate <= RATES[1]:
            raise UsageError(f"--rate {rate}: has to be from {RATES[0]} to {RATES[1]}")
        if not 1 <= channels <= MOST_CHANNELS:
            raise UsageError(f"--channels {channels}: has to be from 1 to {MOST_CHANNELS}")
        self.rate = rate
        self.arrived = 0.0
        self.health = Health("standard input")
        self._stream = stream
        self._channels = channels
        self._sample = np.dtype(f"<i{bits // 8}")

    def blocks(self) -> Generator[FloatArray | Gap, None, None]:
        """Blocks of (n, channels) samples as they arrive, at most BLOCK_SECONDS long."""
        frame = self._sample.itemsize * self._channels
        full_scale = np.float32(-float(np.iinfo(self._sample).min))
        # Filled in place: bytes of a new length with every read would fragment the heap, by megabytes a day.
        buffer = np.empty(_block_frames(self.rate, self._channels) * frame, np.uint8)
        filled = 0
        while True:
            if not select.select([self._stream], [], [], LOST_SECONDS)[0]:
                yield Gap(LOST_SECONDS, "nothing comes through the pipe")
                continue
            if not (count := os.readv(self._stream.fileno(), [buffer[filled:].data])):
                return
            self.arrived = time.monotonic()
            filled += count
            whole = filled // frame * frame
            if whole:
                samples = buffer[:whole].view(self._sample) / full_scale
                buffer[: filled - whole] = buffer[whole:filled]
                filled -= whole
                yield samples.astype(np.float32, copy=False).reshape(-1, self._channels)


def _read(file: soundfile.SoundFile, frames: int) -> FloatArray:
    with quiet_native_code():
        block: FloatArray = file.read(frames, dtype="float32", always_2d=True)
    return block


def _block_frames(rate: int, channels: int) -> int:
    return min(int(rate * BLOCK_SECONDS), LARGEST_BLOCK // channels)


def _reason(path: str | Path, error: Exception) -> str:
    if not Path(path).exists():
        return "no such file"
    if Path(path).is_dir():
        return "is a folder; edge-label reads folders"
    if isinstance(error, soundfile.LibsndfileError) and os.access(path, os.R_OK):
        return f"is no audio that libsndfile reads ({error.error_string.strip('. ')})"
    return "can't be read: permission denied" if not os.access(path, os.R_OK) else str(error)
