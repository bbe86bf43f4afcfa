"""Histories written and read by tests."""

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.answer import Answer
from edge.config import History
from edge.errors import EdgeError
from edge.history import store
from edge.history.recorder import HistoryRecorder
from edge.history.segments import Segment
from edge.stats import Stats

STATS = Stats("a microphone")
BEGIN = 1.7e9  # Unix time
NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC).timestamp()
UTC = {**os.environ, "TZ": "UTC"}


def music(label: str, time: float, confidence: float = 0.9) -> Answer:
    """An answer with a label."""
    return Answer(time, "music", label, confidence)


def rows(path: Path) -> list[Segment]:
    """The segments in the file; none as long as nothing was written."""
    try:
        with store.open_to_read(path) as connection:
            return store.read(connection, float("-inf"), float("inf"))
    except EdgeError as error:
        if any(reason in str(error) for reason in ("nothing was written", "No such file")):
            return []
        raise


@contextlib.contextmanager
def recording(path: Path, **options: Callable[[], float]) -> Iterator[HistoryRecorder]:
    """A recorder that is started, and closed in the end."""
    recorder = HistoryRecorder(History(str(path)), **options)
    recorder.start()
    try:
        yield recorder
    finally:
        recorder.close()


def record(path: Path, answers: list[Answer]) -> list[Segment]:
    """The rows that the answers become, when they come in real time."""
    times = iter([BEGIN, *(BEGIN + answer.time for answer in answers)])
    with recording(path, clock=lambda: next(times)) as recorder:
        for answer in answers:
            recorder.show(answer, STATS)
    return rows(path)


def write_segments(path: Path, *segments: tuple[float, float, str, str | None]) -> Path:
    """Write a history of (began, seconds, state, label)."""
    with contextlib.closing(store.open_to_write(path)) as connection:
        rows = [
            Segment(1, i, *segment, 0.9 if segment[3] else 0.0, "a microphone") for i, segment in enumerate(segments)
        ]
        store.write(connection, rows)
    return path


def write_day(path: Path) -> Path:
    """Write jazz at noon, an hour of silence, rock over midnight, and a minute without a microphone."""
    return write_segments(
        path,
        (NOON, 1800, "music", "jazz"),
        (NOON + 1800, 3600, "silence", None),
        (NOON + 12 * 3600 - 600, 1800, "music", "rock"),
        (NOON + 13 * 3600, 60, "lost", None),
    )


def time_zone(zone: str) -> dict[str, str]:
    """The environment of a process in a time zone."""
    assert Path("/usr/share/zoneinfo", zone).exists(), f"the time zone {zone} is missing: apt install tzdata"
    return {**os.environ, "TZ": zone}
