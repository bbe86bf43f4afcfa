"""Messages from the worker process that captures audio to the process that listens.

Each message is a header (kind, length, overruns so far, CLOCK_MONOTONIC in seconds) and `length` bytes.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

HEADER = struct.Struct("<cxxxIId")
STARTED = b"s"  # no content: from now on the sound system is being asked
AUDIO = b"a"  # interleaved float32 samples; the time is that of the last of them
OPENED = b"o"  # JSON: the fields of OpenedStream
ABSENT = b"w"  # UTF-8: why there is no such device yet; the worker keeps trying
FAILED = b"f"  # UTF-8: why trying again is useless


class Message(NamedTuple):
    """One message of the worker."""

    kind: bytes
    content: bytes
    overruns: int
    at: float


@dataclass(frozen=True)
class OpenRequest:
    """The stream to open: `device` as a user names it, its channel from 1 (None: all), and the length of a block."""

    device: str | None
    channel: int | None
    block_seconds: float


@dataclass(frozen=True)
class OpenedStream:
    """The stream that was opened, and the name by which its device is found again when it comes back."""

    name: str
    lasting: str | None
    rate: int
    channels: int
