"""The history file, an SQLite database in WAL mode: its table, writing, and reading."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from pathlib import Path

from edge.errors import EdgeError
from edge.history.segments import Segment

APPLICATION_ID = int.from_bytes(b"edge")  # distinguishes this file from the databases of other programs
VERSION = 1  # of the table, in the file as PRAGMA user_version
BUSY_SECONDS = 1.0  # SQLite waits this long for another program's lock
RETRY_SECONDS = 0.05  # between attempts where SQLite doesn't wait by itself

# No CHECK: a value that can't be stored would block all that follow it.
# The key makes writing the same segment twice harmless, whatever happened to the file in between.
# "stretch" is what a segment was called when the format was fixed.
SCHEMA = """
CREATE TABLE stretch (
    run INTEGER NOT NULL,     -- a random number for each start of edge-listen
    number INTEGER NOT NULL,  -- counts the segments of a run
    began REAL NOT NULL,      -- Unix time, UTC, as this device's clock was at that moment
    seconds REAL NOT NULL,    -- of audio, or of time without any
    state TEXT NOT NULL,      -- music, other, unknown, silence or lost
    label TEXT,               -- of music
    confidence REAL NOT NULL, -- mean probability of the state or label; 0 where the model was not run
    device TEXT NOT NULL,     -- description of the audio source
    PRIMARY KEY (run, number)
) WITHOUT ROWID
"""
WRITE = """
INSERT INTO stretch VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, number) DO UPDATE SET seconds = excluded.seconds, confidence = excluded.confidence
"""
READ = """
SELECT run, number, max(began, :since) AS start, min(began + seconds, :until) - max(began, :since),
       state, label, confidence, device
FROM stretch WHERE began < :until AND began + seconds > :since ORDER BY start, run, number
"""
TOTALS = """
SELECT state, label, sum(min(began + seconds, :until) - max(began, :since)) AS total
FROM stretch WHERE began < :until AND began + seconds > :since GROUP BY state, label ORDER BY total DESC
"""
LABELS = "SELECT DISTINCT label FROM stretch WHERE label IS NOT NULL ORDER BY label"


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a history for writing, and create it if there is none.

    Raises
    ------
    EdgeError
        If the file can never be used: it belongs to another program or to a newer version of this one.
    sqlite3.Error
        If it can't be opened now, for a reason that may pass.
    """
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        _check(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL: a power cut never damages a WAL database, but loses what the kernel has not written yet, half a minute
        # at most. FULL would save that at the cost of one fsync per commit, which wears out SD cards.
        connection.execute("PRAGMA synchronous = NORMAL")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if _version(connection) == 0:
                connection.execute(SCHEMA)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def write(connection: sqlite3.Connection, segments: Iterable[Segment]) -> None:
    """Add segments, or update those that are in the file already: all of them or none."""
    with connection:
        connection.executemany(WRITE, map(astuple, segments))


@contextlib.contextmanager
def open_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a history for reading, without creating or changing any file.

    Raises
    ------
    EdgeError
        If it can't be read, is not a history, or nothing was written to it yet.
    """
    with contextlib.ExitStack() as closing:
        try:
            connection = closing.enter_context(contextlib.closing(_open_checked(path, closing)))
            if _version(connection) == 0:
                raise EdgeError(f"{path}: the history is empty, nothing was written yet")
            yield connection
        except sqlite3.Error as error:
            raise EdgeError(f"{path}: {describe_error(error, path)}") from None


def read(connection: sqlite3.Connection, since: float, until: float) -> list[Segment]:
    """Segments between two Unix times, in order; those that reach beyond them are cut."""
    return [Segment(*row) for row in connection.execute(READ, {"since": since, "until": until})]


def totals(connection: sqlite3.Connection, since: float, until: float) -> list[tuple[str, str | None, float]]:
    """State, label and total seconds between two Unix times, the longest first."""
    return connection.execute(TOTALS, {"since": since, "until": until}).fetchall()


def labels(connection: sqlite3.Connection) -> list[str]:
    """Labels of the whole history, sorted."""
    return [label for (label,) in connection.execute(LABELS)]


def describe_error(error: sqlite3.Error, path: Path) -> str:
    """SQLite's error in a few words, to follow the path."""
    name = getattr(error, "sqlite_errorname", "")
    # Not Path.is_dir: it raises OSError for what can't be looked up, such as a file on a disk that was unplugged.
    if os.path.isdir(path):  # noqa: PTH112
        return "is a folder"
    if name.startswith("SQLITE_CANTOPEN"):
        return "can't be opened: permission denied" if os.path.isdir(path.parent) else "no such folder"  # noqa: PTH112
    for prefix, text in (
        ("SQLITE_FULL", "the disk is full"),
        ("SQLITE_BUSY", "another program has locked it"),
        ("SQLITE_READONLY", "can't be written: it is read-only"),
        ("SQLITE_IOERR", "disk read or write error"),
        ("SQLITE_CORRUPT", "the database is damaged"),
        ("SQLITE_NOTADB", "is not an SQLite database"),
    ):
        if name.startswith(prefix):
            return text
    return str(error)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise EdgeError if another program or a newer version of this one has written the file."""
    try:
        version = _version(connection)
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname == "SQLITE_NOTADB":
            raise EdgeError(
                f"{path}: {describe_error(error, path)}; name another file, or move this one away"
            ) from None
        raise
    if tables and application != APPLICATION_ID:
        raise EdgeError(f"{path}: is the database of another program; name another file")
    if version > VERSION:
        raise EdgeError(
            f"{path}: was written by a newer edge-listen (history version {version}, this one reads {VERSION})"
        )


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _open_checked(path: Path, closing: contextlib.ExitStack) -> sqlite3.Connection:
    """A connection that can read: none can while a writer that has just started recovers the log of a killed one."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        with contextlib.ExitStack() as failed:
            connection = failed.enter_context(contextlib.closing(_read_only(path, closing)))
            try:
                connection.execute("BEGIN")  # one snapshot until it is closed, which no writer's recovery interrupts
                _check(connection, path)
            except sqlite3.Error as error:
                if not error.sqlite_errorname.startswith("SQLITE_READONLY") or time.monotonic() > give_up:
                    raise
                time.sleep(RETRY_SECONDS)
                continue
            failed.pop_all()
            return connection


def _read_only(path: Path, closing: contextlib.ExitStack) -> sqlite3.Connection:
    """A connection that leaves the folder unchanged; mode=ro alone would create a -wal and a -shm file."""
    wal, shared = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    try:
        path.stat()
        if not wal.exists() or wal.stat().st_size == 0:
            option = "immutable=1"  # everything is in the file itself
        elif shared.exists():
            option = "readonly_shm=1"  # the file of a writer, which is alive or was killed
        else:  # the -shm file was not copied with the others, and recreating it takes a writable folder
            folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
            path, _ = (Path(shutil.copy(part, folder)) for part in (path, wal))
            option = ""
    except OSError as error:
        raise EdgeError(f"{path}: {error.strerror}") from None
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&{option}", timeout=BUSY_SECONDS, uri=True)
