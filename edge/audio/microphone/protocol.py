"""Messages from the capture worker to the process that listens.

Each message is a header (kind, length, overruns so far, CLOCK_MONOTONIC in seconds) and `length` bytes of content.
"""

import json
import struct
from dataclasses import asdict, dataclass
from typing import NamedTuple, TypeVar

HEADER = struct.Struct("<cxxxIId")
STARTED = b"s"  # no content: from now on the worker is talking to the sound system
AUDIO = b"a"  # interleaved float32 samples; the time is that of the last of them
OPENED = b"o"  # OpenedStream as JSON
ABSENT = b"w"  # Problem as JSON: there is no such device yet; the worker keeps trying
FAILED = b"f"  # Problem as JSON: only the user can change it

MAX_BLOCK_SECONDS = 0.25  # each block wakes two processes, which is most of what capturing costs
FIRST_PAUSE, MAX_PAUSE = 0.25, 1.0  # seconds between attempts to open a device, and between starts of the worker


class Message(NamedTuple):
    """One message of the worker."""

    kind: bytes
    content: bytes
    overruns: int
    time: float


@dataclass(frozen=True)
class OpenRequest:
    """The stream to open: `device` as a user names it, its channel from 1 (None: all), and the length of a block."""

    device: str | None
    channel: int | None
    block_seconds: float


@dataclass(frozen=True)
class OpenedStream:
    """The stream that was opened, and the name by which its device is found again when it comes back."""

    device: str
    lasting_name: str | None
    rate: int
    channels: int


@dataclass(frozen=True)
class Problem:
    """The reason why no audio arrives: a sentence in one line, and a message for a terminal, which may hold a table."""

    sentence: str
    message: str


Content = TypeVar("Content", OpenRequest, OpenedStream, Problem)


def encode(content: OpenRequest | OpenedStream | Problem) -> str:
    """JSON of a message's content."""
    return json.dumps(asdict(content))


def decode(kind: type[Content], text: str | bytes) -> Content:
    """The inverse of `encode`."""
    return kind(**json.loads(text))
