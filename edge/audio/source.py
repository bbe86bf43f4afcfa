"""The interface of an audio source."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from edge.arrays import FloatArray
from edge.stats import Stats

BLOCK_SECONDS = 0.5
LOST_SECONDS = 1.5  # without a block, after which a live source counts as lost
MAX_BLOCK_VALUES = 1 << 20  # a block of very many channels is shorter than BLOCK_SECONDS


@dataclass(frozen=True)
class Gap:
    """Time in which a live source delivered no audio; `why` is the reason in words, if it is known."""

    seconds: float
    why: str | None = None


class AudioSource(ABC):
    """A file, a pipe or a microphone: open after its constructor, a context manager that closes it.

    Attributes
    ----------
    rate : int
        Sample rate in Hz. After a `Gap` it may be another one.
    stats : Stats
        Counters that the source updates.
    arrived : float or None
        Arrival of the last sample of the latest block by `time.monotonic()`, None before the first block.
    """

    def __init__(self, rate: int, stats: Stats) -> None:
        self.rate = rate
        self.stats = stats
        self.arrived: float | None = None

    @abstractmethod
    def blocks(self) -> Iterator[FloatArray | Gap]:
        """Blocks of (n, channels) float32 samples in -1..1, and the gaps between them. Call it once."""

    @abstractmethod
    def close(self) -> None:
        """Release the file or device; a second call does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def block_frames(rate: int, channels: int) -> int:
    """Frames of a full block."""
    return min(int(rate * BLOCK_SECONDS), MAX_BLOCK_VALUES // channels)
