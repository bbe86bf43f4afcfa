"""Moments at which the recorder writes, and files that it refuses."""

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest
from helpers.history_files import STATS, music, record, recording, rows
from helpers.support import wait_for

from edge.config import History
from edge.errors import EdgeError
from edge.history import recorder, store
from edge.history.recorder import HistoryRecorder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


# Writing


def test_a_segment_is_in_the_file_as_soon_as_it_begins(path: Path) -> None:
    with recording(path) as output:
        output.show(music("jazz", 1), STATS)
        wait_for(lambda: [row.label for row in rows(path)] == ["jazz"])


def test_the_row_of_a_segment_that_continues_is_updated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "UPDATE_SECONDS", 0.1)
    with recording(path) as output:
        for t in range(1, 10):
            output.show(music("jazz", t), STATS)
            wait_for(lambda t=t: [row.seconds for row in rows(path)] == [t])


def test_a_segment_that_continues_costs_few_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []
    monkeypatch.setattr(store, "write", lambda connection, batch: batches.append(batch) if batch else None)
    with recording(path) as output:
        for t in range(1, 1000):
            output.show(music("jazz", t), STATS)
            time.sleep(0.0005)
    assert len(batches) <= 3


def test_after_closing_the_history_is_one_file(path: Path) -> None:
    record(path, [music("jazz", 1)])
    assert list(path.parent.iterdir()) == [path]


def test_two_recorders_share_a_file(path: Path) -> None:
    with recording(path) as one, recording(path) as two:
        for t in range(1, 30):
            one.show(music("jazz", t), STATS)
            two.show(music(f"rock {t}", t), STATS)
    assert len(rows(path)) == 1 + 29


def test_a_history_that_is_deleted_meanwhile_is_created_again(path: Path) -> None:
    with recording(path) as output:
        output.show(music("jazz", 1), STATS)
        wait_for(lambda: bool(rows(path)))
        path.unlink()
        output.show(music("rock", 2), STATS)
        wait_for(path.exists)
        output.show(music("blues", 3), STATS)
    assert "blues" in [row.label for row in rows(path)]
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# Refused files


def test_a_file_that_is_not_a_database_is_refused_and_unchanged(path: Path) -> None:
    path.write_text("my diary\n" * 1000)
    with pytest.raises(EdgeError, match=r"history\.db: is not an SQLite database"):
        HistoryRecorder(History(str(path)))
    assert path.read_text() == "my diary\n" * 1000


def test_the_database_of_another_program_is_refused_and_unchanged(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    before = path.read_bytes()
    with pytest.raises(EdgeError, match=r"history\.db: is the database of another program"):
        HistoryRecorder(History(str(path)))
    assert path.read_bytes() == before


def test_a_file_of_a_newer_version_is_refused_and_unchanged(path: Path) -> None:
    record(path, [music("jazz", 1)])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {store.VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(EdgeError, match=r"newer edge-listen \(history version 2, this one reads 1\)"):
        HistoryRecorder(History(str(path)))
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_history(path: Path) -> None:
    path.touch()
    assert [row.label for row in record(path, [music("jazz", 1)])] == ["jazz"]
