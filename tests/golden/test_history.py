"""History files: what edge-listen writes, and what edge-history says of a file that version 0.1.0 has written."""

import contextlib
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from golden.commands import PipedListener, demo, output
from golden.recording import RECORDED, as_json_lines, check, json_lines

OLD = RECORDED / "history_0_1_0.sql"  # not written by GOLDEN_RECORD: devices hold such files
COLUMNS = "number, seconds, state, label, confidence, device"


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def record(path: Path, samples: bytes) -> None:
    """Let edge-listen hear something and keep it."""
    with PipedListener("--history", path) as listener:
        listener.write(samples)
        assert listener.finish() == 0


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of the demo clip."""
    path = tmp_path_factory.mktemp("history") / "history.db"
    record(path, demo())
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A history that version 0.1.0 has written."""
    path = tmp_path / "history.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text(encoding="utf-8"))
    return path


def test_schema_of_a_new_file_without_its_comments(new: Path) -> None:
    schema = "\n".join(sql for (sql,) in query(new, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
    check("history_schema.sql", re.sub(r" *--.*", "", schema).strip() + "\n")


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("application_id", int.from_bytes(b"edge")),
        ("user_version", 1),
        ("journal_mode", "wal"),
        ("integrity_check", "ok"),
    ],
)
def test_pragmas_of_a_new_file(new: Path, pragma: str, value: int | str) -> None:
    assert query(new, f"PRAGMA {pragma}") == [(value,)]


def test_rows_of_the_demo(new: Path) -> None:
    names = COLUMNS.split(", ")
    rows = [
        dict(zip(names, row, strict=True)) for row in query(new, f"SELECT {COLUMNS} FROM stretch ORDER BY run, number")
    ]
    check("history_rows.jsonl", as_json_lines(rows), json_lines)


def test_one_run_has_one_random_number(new: Path) -> None:
    (count, run), *_ = query(new, "SELECT count(DISTINCT run), run FROM stretch")
    assert count == 1
    assert 0 <= run < 2**53


def test_rows_begin_at_the_time_of_the_wall_clock_and_of_the_audio(tmp_path: Path) -> None:
    before = time.time()
    record(tmp_path / "history.db", demo(0, 4))
    ((began,),) = query(tmp_path / "history.db", "SELECT began FROM stretch")
    warm_up = 2.0  # seconds of audio without a row, less a hop; the pipe delivers them at once
    assert before + warm_up <= began <= time.time() + warm_up


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("labels", ["labels"]),
        ("labels_since", ["labels", "--since", "2026-03-02"]),
        ("labels_until", ["labels", "--until", "2026-03-01"]),
        ("day", ["day", "2026-03-01"]),
        ("next_day", ["day", "2026-03-02"]),
    ],
)
def test_an_old_file_is_read_as_before(old: Path, name: str, words: list[str]) -> None:
    check(f"history_{name}.jsonl", output("edge-history", "--file", old, *words, "--json"), json_lines)


@pytest.mark.parametrize("words", [["labels"], ["day", "2026-03-01"]])
def test_plain_lines_of_an_old_file(old: Path, words: list[str]) -> None:
    check(f"history_{words[0]}.txt", output("edge-history", "--file", old, *words))


def test_a_configuration_file_names_the_history(old: Path) -> None:
    config = old.with_name("edge-listen.toml")
    config.write_text(f'[history]\nfile = "{old}"\n')
    check("history_labels.jsonl", output("edge-history", "--config", config, "labels", "--json"), json_lines)


def test_a_day_of_an_old_file_is_drawn(old: Path) -> None:
    picture = old.with_name("day.png")
    assert output("edge-history", "--file", old, "day", "2026-03-01", "--out", picture) == ""
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_reading_leaves_an_old_file_as_it_was(old: Path) -> None:
    before = old.read_bytes()
    output("edge-history", "--file", old, "labels")
    assert old.read_bytes() == before


def test_an_old_file_is_continued(old: Path) -> None:
    before = query(old, "SELECT * FROM stretch")
    record(old, demo(0, 4))
    after = query(old, "SELECT * FROM stretch")
    assert set(before) < set(after)
    assert len(after) == len(before) + 1
    assert query(old, "PRAGMA user_version") == [(1,)]
