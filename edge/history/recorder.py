"""Keeps what was heard in an SQLite file: one row for each stretch of the same state and label."""

import contextlib
import dataclasses
import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from edge.answer import Answer
from edge.config import History
from edge.errors import EdgeError
from edge.history import store
from edge.history.store import Segment
from edge.outage import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, Outage
from edge.stats import Stats

UPDATE_SECONDS = 10.0  # how far the row of a stretch that goes on may be behind
CLOCK_STEP_SECONDS = 10.0  # the wall clock was set, or nobody listened: what follows is a stretch of its own
MOST_WAITING = 10_000  # store in memory, a few MB: days of music, hours of a label that flickers
CLOSE_SECONDS = 3.0
CLOSING_RETRY_SECONDS = 0.2

log = logging.getLogger("edge")


class HistoryOutput:
    """Puts store together in `show` and writes them in a thread of its own; `clock` gives the Unix time."""

    def __init__(self, config: History, clock: Callable[[], float] = time.time) -> None:
        """Raise EdgeError for a file that will never do: of another program, or of a newer version of this one."""
        self._path = Path(config.file)
        if self._path.is_file():
            with contextlib.suppress(sqlite3.Error):  # what may pass is the thread's business
                store.open_to_write(self._path).close()
        self._joiner = Joiner(clock)
        self._lock = threading.Lock()  # of the next two; nobody works on the disk while holding it
        self._waiting: dict[int, Segment] = {}  # by number: of a stretch that goes on only its newest length
        self._dropped = 0
        self._news = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name="history", daemon=True)

    def start(self) -> None:
        """Write, as soon as there is something."""
        self._thread.start()

    def show(self, answer: Answer, stats: Stats) -> None:
        """Lengthen the stretch, or begin one."""
        if not (stretch := self._joiner.join(answer, stats.device)):
            return
        with self._lock:
            self._waiting[stretch.number] = stretch
            if len(self._waiting) > MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]
                self._dropped += 1
        if self._joiner.fresh:
            self._news.set()

    def close(self) -> None:
        """Write what is left, or say how much could not be."""
        self._closing.set()
        self._news.set()
        self._thread.join(CLOSE_SECONDS)
        with self._lock:
            lost = len(self._waiting) + self._dropped
        if lost:
            log.warning("history %s: %d store could not be written and are lost", self._path, lost)

    def _keep_writing(self) -> None:
        file = HistoryFile(self._path)
        pause = FIRST_RETRY_SECONDS
        while not self._closing.is_set():
            if self._write(file):
                pause = FIRST_RETRY_SECONDS
                self._news.wait(UPDATE_SECONDS)
                self._news.clear()
            else:
                self._closing.wait(pause)
                pause = min(2 * pause, LONGEST_RETRY_SECONDS)
        give_up = time.monotonic() + CLOSE_SECONDS - store.BUSY_SECONDS
        while not self._write(file) and time.monotonic() < give_up:
            time.sleep(CLOSING_RETRY_SECONDS)
        file.close()

    def _write(self, file: "HistoryFile") -> bool:
        with self._lock:
            batch = dict(self._waiting)
        if not file.write(list(batch.values())):
            return False
        with self._lock:
            for number, written in batch.items():
                if self._waiting.get(number) is written:  # else it has become longer meanwhile, or was dropped
                    del self._waiting[number]
            dropped, self._dropped = self._dropped, 0
        if dropped:
            log.warning("history %s: the oldest %d store that waited are lost", self._path, dropped)
        return True


class Joiner:
    """Joins equal answers to store."""

    fresh = False  # whether the last answer has begun a stretch

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._now = clock()
        self._t = 0.0
        self._last = Segment(secrets.randbits(53), 0, 0.0, 0.0, "warming", None, 0.0, "")  # JSON keeps 53 bits exact

    def join(self, answer: Answer, device: str) -> Segment | None:
        """The stretch that the answer belongs to, so far; None while warming."""
        # Lengths come from the audio's clock. The wall clock only says where a stretch begins: a Raspberry Pi has
        # none that runs while it is off, and may learn from the network only after a while what day it is.
        seconds, self._t = max(answer.time - self._t, 0.0), answer.time
        before, self._now = self._now, self._clock()
        last = self._last
        device = device.encode("utf-8", "replace").decode()  # SQLite takes no bytes that are no character
        same = (answer.state, answer.label, device) == (last.state, last.label, last.device)
        self.fresh = not same or abs(self._now - before - seconds) > CLOCK_STEP_SECONDS
        if self.fresh:
            began = self._now - seconds
            last = Segment(last.run, last.number + 1, began, 0.0, answer.state, answer.label, answer.confidence, device)
        self._last = _longer(last, seconds, answer.confidence)
        return self._last if answer.state != "warming" else None


class HistoryFile:
    """The file as the thread sees it: opened when it can be, opened anew after every trouble."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._outage = Outage(f"history {path}")

    def write(self, batch: list[Segment]) -> bool:
        """Whether all of the batch is in the file; what went wrong is logged, once an outage."""
        try:
            if self._connection is None or self._identity != _identity(self._path):
                self.close()  # before opening: to close is what removes the -wal of a file that was deleted
                self._connection = store.open_to_write(self._path)
                self._identity = _identity(self._path)
            store.write(self._connection, batch)
        except (sqlite3.Error, OSError, EdgeError) as error:
            reason = store.why(error, self._path) if isinstance(error, sqlite3.Error) else str(error)
            self._outage.failed(f"{reason.removeprefix(f'{self._path}: ')}, what is heard waits in memory")
            self.close()
            return False
        self._outage.worked()
        return True

    def close(self) -> None:
        """Nothing is open any more; the next `write` opens it again."""
        if self._connection:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None


def _longer(stretch: Segment, seconds: float, confidence: float) -> Segment:
    whole = stretch.seconds + seconds
    mean = stretch.confidence + (confidence - stretch.confidence) * seconds / whole if whole else confidence
    return dataclasses.replace(stretch, seconds=whole, confidence=mean)


def _identity(path: Path) -> tuple[int, int]:
    """Tells whether the file is still the one that was opened: writing to a deleted file fails nowhere."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return status.st_dev, status.st_ino
