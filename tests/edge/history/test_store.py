"""The format of the history file."""

import contextlib
import sqlite3
from pathlib import Path

from helpers.history_files import BEGIN, STATS, music, recording, rows

from edge.history.segments import Segment

# A file as version 0.1 made it.
FORMAT_1 = """
PRAGMA journal_mode = WAL;
CREATE TABLE stretch (
    run INTEGER NOT NULL,     -- a random number for each start of edge-listen
    number INTEGER NOT NULL,  -- counts the stretches of a run
    began REAL NOT NULL,      -- Unix time, UTC, as this device's clock was at that moment
    seconds REAL NOT NULL,    -- of audio, or of time without any
    state TEXT NOT NULL,      -- music, other, unknown, silence or lost
    label TEXT,               -- of music
    confidence REAL NOT NULL, -- mean probability of what was said; 0 where the model was not asked
    device TEXT NOT NULL,     -- what was listened to
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
PRAGMA application_id = 1701078885;
PRAGMA user_version = 1;
INSERT INTO stretch VALUES (7, 1, 1600000000.25, 4.5, 'music', 'jazz', 0.75, 'a microphone');
INSERT INTO stretch VALUES (7, 2, 1600000004.75, 60, 'silence', NULL, 0, 'a microphone');
"""
OLD_ROWS = [
    Segment(7, 1, 1600000000.25, 4.5, "music", "jazz", 0.75, "a microphone"),
    Segment(7, 2, 1600000004.75, 60.0, "silence", None, 0.0, "a microphone"),
]


def columns(path: Path) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, type, \"notnull\", pk FROM pragma_table_info('stretch')").fetchall()


def write_format_1(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(FORMAT_1)


def test_a_file_of_version_0_1_is_read(tmp_path: Path) -> None:
    write_format_1(tmp_path / "history.db")
    assert rows(tmp_path / "history.db") == OLD_ROWS


def test_a_file_of_version_0_1_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    write_format_1(path)
    times = iter([BEGIN, BEGIN + 1])
    with recording(path, clock=lambda: next(times)) as output:
        output.show(music("rock", 1.0), STATS)
    *old, new = rows(path)
    assert old == OLD_ROWS
    assert (new.number, new.began, new.seconds, new.label, new.device) == (1, BEGIN, 1.0, "rock", "a microphone")


def test_the_table_is_that_of_version_0_1(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    write_format_1(old)
    with recording(new) as output:
        output.show(music("rock", 1.0), STATS)
    assert columns(new) == columns(old)
