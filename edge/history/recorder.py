"""The output that records what is heard in a history file."""

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from edge.answer import Answer
from edge.backoff import Backoff
from edge.config import History
from edge.errors import EdgeError
from edge.history import store
from edge.history.segments import Segment, SegmentBuilder
from edge.outage import FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS, Outage
from edge.stats import Stats

UPDATE_SECONDS = 10.0  # between updates of the row of a segment that continues
MAX_WAITING = 10_000  # segments in memory, a few MB: days of music, hours of a label that flickers
CLOSE_SECONDS = 3.0
CLOSING_RETRY_SECONDS = 0.2

log = logging.getLogger("edge")


class HistoryRecorder:
    """Joins answers to segments in `show`; a thread of its own writes them, and waits while the file can't be written.

    Parameters
    ----------
    settings
        The file.
    clock
        Returns the Unix time.

    Raises
    ------
    EdgeError
        If the file can never be used: another program or a newer version of this one has written it.
    """

    name = "history"

    def __init__(self, settings: History, clock: Callable[[], float] = time.time) -> None:
        self._path = Path(settings.file)
        if os.path.isfile(self._path):  # noqa: PTH113 - Path.is_file raises OSError for what can't be looked up
            with contextlib.suppress(sqlite3.Error):  # a temporary failure is for the thread to handle
                store.open_to_write(self._path).close()
        self._builder = SegmentBuilder(clock)
        self._last_number = 0
        self._lock = threading.Lock()  # guards the next two; never held during disk access
        self._waiting: dict[int, Segment] = {}  # by number: of a segment that continues only the latest length
        self._dropped = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name="history", daemon=True)

    def start(self) -> None:
        """Start the thread that writes."""
        self._thread.start()

    def show(self, answer: Answer, stats: Stats) -> None:
        """Extend the current segment or begin one; a new one is written at once."""
        if not (segment := self._builder.add(answer, stats.device)):
            return
        with self._lock:
            self._waiting[segment.number] = segment
            if len(self._waiting) > MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]
                self._dropped += 1
        if segment.number != self._last_number:
            self._last_number = segment.number
            self._wake.set()

    def close(self) -> None:
        """Write what is left, or log how much could not be written."""
        self._closing.set()
        self._wake.set()
        self._thread.join(CLOSE_SECONDS)
        with self._lock:
            lost = len(self._waiting) + self._dropped
        if lost:
            log.warning("history %s: the file could not be written; segments lost: %d", self._path, lost)

    def _keep_writing(self) -> None:
        writer = _Writer(self._path)
        backoff = Backoff(FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS)
        while not self._closing.is_set():
            if self._write(writer):
                backoff.reset()
                self._wake.wait(UPDATE_SECONDS)
                self._wake.clear()
            else:
                self._closing.wait(backoff.next())
        give_up = time.monotonic() + CLOSE_SECONDS - store.BUSY_SECONDS
        while not self._write(writer) and time.monotonic() < give_up:
            time.sleep(CLOSING_RETRY_SECONDS)
        writer.close()

    def _write(self, writer: "_Writer") -> bool:
        with self._lock:
            batch = dict(self._waiting)
        if not writer.write(list(batch.values())):
            return False
        with self._lock:
            for number, written in batch.items():
                if self._waiting.get(number) is written:  # otherwise it was extended or dropped meanwhile
                    del self._waiting[number]
            dropped, self._dropped = self._dropped, 0
        if dropped:
            log.warning("history %s: too many segments were waiting; oldest segments lost: %d", self._path, dropped)
        return True


class _Writer:
    """The history file, opened when it can be opened, and opened again after every failure."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._outage = Outage(f"history {path}")

    def write(self, segments: list[Segment]) -> bool:
        """True if all segments are in the file; the first failure of an outage is logged."""
        try:
            if self._connection is None or self._identity != _identity(self._path):
                self.close()  # before opening: closing removes the -wal file of a history that was deleted
                self._connection = store.open_to_write(self._path)
                self._identity = _identity(self._path)
            store.write(self._connection, segments)
        except (sqlite3.Error, OSError, EdgeError) as error:
            reason = store.describe_error(error, self._path) if isinstance(error, sqlite3.Error) else str(error)
            self._outage.failed(f"{reason.removeprefix(f'{self._path}: ')}, what is heard is kept in memory")
            self.close()
            return False
        self._outage.worked()
        return True

    def close(self) -> None:
        """Close the file; the next `write` opens it again."""
        if self._connection:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None


def _identity(path: Path) -> tuple[int, int]:
    """Device and inode: they change when the file is replaced, while writing to a deleted file raises no error."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return status.st_dev, status.st_ino
