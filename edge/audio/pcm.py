"""Raw PCM from a pipe."""

import os
import time
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from edge.arrays import FloatArray
from edge.audio.pipe import PipePoll
from edge.audio.source import LOST_SECONDS, AudioSource, Gap, block_frames
from edge.stats import Stats


class PcmSource(AudioSource):
    """Raw signed little-endian PCM: `arecord -f S16_LE -r 48000 -c 1 -t raw | edge-listen -`."""

    def __init__(self, stream: BinaryIO, rate: int, channels: int, bits: int = 16) -> None:
        """Read from an open stream, which stays the caller's.

        Parameters
        ----------
        stream
            Binary stream with a file descriptor.
        rate
            Sample rate in Hz.
        channels
            Number of interleaved channels.
        bits
            Bits per sample: 16 or 32.
        """
        super().__init__(rate, Stats("standard input"))
        self._stream = stream
        self._channels = channels
        self._sample = np.dtype(f"<i{bits // 8}")

    def blocks(self) -> Iterator[FloatArray | Gap]:
        """Blocks of (n, channels) samples as they arrive, at most `BLOCK_SECONDS` long."""
        frame = self._sample.itemsize * self._channels
        full_scale = np.float32(-float(np.iinfo(self._sample).min))
        # Filled in place: bytes of another length with each read would fragment the heap, by megabytes a day.
        buffer = np.empty(block_frames(self.rate, self._channels) * frame, np.uint8)
        filled = 0
        pipe = PipePoll(self._stream)
        while True:
            if not pipe.wait(LOST_SECONDS):
                yield Gap(LOST_SECONDS, "no data arrives through the pipe")
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

    def close(self) -> None:
        """Do nothing: the stream belongs to the caller."""
