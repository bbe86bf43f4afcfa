"""Files that can't be written for some time: the recorder logs it, waits, and never blocks."""

import contextlib
import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.history_files import STATS, music, record, recording, rows
from helpers.support import wait_for

from edge.config import History
from edge.history import recorder
from edge.history.recorder import CLOSE_SECONDS, HistoryRecorder

Log = Callable[[int], list[str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    """Returns the log lines of a level."""
    caplog.set_level(logging.INFO, "edge")
    return lambda level: [record.getMessage() for record in caplog.records if record.levelno == level]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".", "is a folder"),
        ("file/history.db", "no such folder"),
        ("later/history.db", "no such folder"),
        ("n" * 300, "can't be opened"),  # a path that can't even be looked up, as on a disk that was unplugged
    ],
)
def test_a_file_that_cannot_be_opened_is_logged_once_and_never_raises(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(recorder, "FIRST_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(recorder, "CLOSE_SECONDS", 1.2)
    with recording(tmp_path / name) as output:
        for t in range(1, 20):
            output.show(music(f"label {t}", t), STATS)
            time.sleep(0.01)
    outage, lost = log(logging.WARNING)
    assert outage.startswith(f"history {tmp_path / name}: {reason}")
    assert lost.endswith("could not be written; segments lost: 19")


def test_segments_wait_until_the_folder_exists(tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "FIRST_RETRY_SECONDS", 0.02)
    path = tmp_path / "usb" / "history.db"
    with recording(path) as output:
        output.show(music("jazz", 1), STATS)
        wait_for(lambda: bool(log(logging.WARNING)))
        path.parent.mkdir()
        wait_for(path.exists)
    assert [row.label for row in rows(path)] == ["jazz"]
    assert log(logging.INFO) == [f"history {path}: works again"]


@pytest.mark.slow
def test_another_programs_lock_does_not_block_show(path: Path, log: Log) -> None:
    record(path, [music("jazz", 1)])
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE'); print(); input()"
    other = subprocess.Popen([sys.executable, "-uc", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout
    other.stdout.readline()
    with recording(path) as output:
        longest = 0.0
        for t in range(1, 200):
            before = time.monotonic()
            output.show(music(f"label {t}", t), STATS)
            longest = max(longest, time.monotonic() - before)
            time.sleep(0.015)
        other.communicate(b"\n")
        wait_for(lambda: len(rows(path)) == 200)
    assert longest < 0.5
    (warning,) = log(logging.WARNING)
    assert "another program has locked it" in warning
    assert log(logging.INFO) == [f"history {path}: works again"]


@pytest.mark.slow
def test_closing_gives_up_after_a_few_seconds(path: Path, log: Log) -> None:
    record(path, [music("jazz", 1)])
    output = HistoryRecorder(History(str(path)))
    output.start()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        output.show(music("jazz", 1), STATS)
        before = time.monotonic()
        output.close()
        assert time.monotonic() - before < CLOSE_SECONDS + 1
    assert log(logging.WARNING)[-1].endswith("could not be written; segments lost: 1")


def test_waiting_segments_are_limited_and_the_oldest_are_dropped(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "FIRST_RETRY_SECONDS", 0.3)
    monkeypatch.setattr(recorder, "MAX_WAITING", 10)
    path = tmp_path / "later" / "history.db"
    with recording(path) as output:
        for t in range(1, 26):
            output.show(music(f"label {t}", t), STATS)
        path.parent.mkdir()
        wait_for(path.exists)
    assert [row.label for row in rows(path)] == [f"label {t}" for t in range(16, 26)]
    assert f"history {path}: too many segments were waiting; oldest segments lost: 15" in log(logging.WARNING)


def test_a_damaged_database_is_logged_and_survived(path: Path, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "CLOSE_SECONDS", 1.2)
    record(path, [music(f"label {t}", t) for t in range(1, 500)])
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with recording(path) as output:
        output.show(music("jazz", 1), STATS)
    warning, lost = log(logging.WARNING)
    assert warning.startswith(f"history {path}: the database is damaged")
    assert lost.endswith("segments lost: 1")
