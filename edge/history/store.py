"""The history file: its one table, and how it is opened for writing and for reading. An SQLite database in WAL mode."""

import contextlib
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from edge.errors import EdgeError

APPLICATION_ID = int.from_bytes(b"edge")  # tells this file from the database of another program
VERSION = 1  # of the table, in the file as PRAGMA user_version
BUSY_SECONDS = 1.0  # how long SQLite itself waits for somebody else's lock
AGAIN_SECONDS = 0.05  # between two tries where it doesn't

# No CHECK: a value that can't be stored would hold up all that come after it.
# The key makes writing the same stretch twice harmless, whatever became of the file in between.
SCHEMA = """
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


@dataclass(frozen=True)
class Segment:
    """A row: `seconds` of the same state and label, from `began` (Unix time) on."""

    run: int
    number: int
    began: float
    seconds: float
    state: str
    label: str | None
    confidence: float
    device: str


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open the file, make it if there is none.

    Raise EdgeError for a file that will never do, sqlite3.Error for what may pass.
    """
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        _check(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL: a power cut never damages a WAL database, but takes what the kernel had not yet written by itself,
        # half a minute at most. FULL would save that for an fsync a commit, which is what wears an SD card out.
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


def write(connection: sqlite3.Connection, stretches: Iterable[Segment]) -> None:
    """Add the stretches, or bring those that are in the file already up to date: all of them or none."""
    with connection:
        connection.executemany(WRITE, map(astuple, stretches))


@contextlib.contextmanager
def open_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file without creating or altering any. Raise EdgeError for what is no history, or an empty one."""
    with contextlib.ExitStack() as closing:
        try:
            connection = closing.enter_context(contextlib.closing(_open_checked(path, closing)))
            if _version(connection) == 0:
                raise EdgeError(f"{path}: nothing was written to this history yet")
            yield connection
        except sqlite3.Error as error:
            raise EdgeError(f"{path}: {why(error, path)}") from None


def read(connection: sqlite3.Connection, since: float, until: float) -> list[Segment]:
    """What was heard between two Unix times, in order; a stretch that reaches beyond them is cut."""
    return [Segment(*row) for row in connection.execute(READ, {"since": since, "until": until})]


def totals(connection: sqlite3.Connection, since: float, until: float) -> list[tuple[str, str | None, float]]:
    """State, label and seconds between two Unix times, the longest first."""
    return connection.execute(TOTALS, {"since": since, "until": until}).fetchall()


def labels(connection: sqlite3.Connection) -> list[str]:
    """Every label that was ever heard, sorted."""
    return [label for (label,) in connection.execute(LABELS)]


def why(error: sqlite3.Error, path: Path) -> str:
    """What SQLite's error means, in a few words."""
    name = getattr(error, "sqlite_errorname", "")
    if path.is_dir():
        return "is a folder"
    if name.startswith("SQLITE_CANTOPEN"):
        return "can't be opened: permission denied" if path.parent.is_dir() else "there is no such folder"
    for prefix, words in (
        ("SQLITE_FULL", "the disk is full"),
        ("SQLITE_BUSY", "another program has locked it"),
        ("SQLITE_READONLY", "can't be written: read-only"),
        ("SQLITE_IOERR", "the disk refuses to read or write"),
        ("SQLITE_CORRUPT", "the database is damaged"),
        ("SQLITE_NOTADB", "is no SQLite database"),
    ):
        if name.startswith(prefix):
            return words
    return str(error)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise EdgeError for a file that another program, or a newer version of this one, has made."""
    try:
        version = _version(connection)
        (maker,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname == "SQLITE_NOTADB":
            raise EdgeError(f"{path}: {why(error, path)}; name another file, or move this one away") from None
        raise
    if tables and maker != APPLICATION_ID:
        raise EdgeError(f"{path}: is the database of another program; name another file")
    if version > VERSION:
        raise EdgeError(f"{path}: is of a newer edge-listen (history version {version}, this one knows {VERSION})")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _open_checked(path: Path, closing: contextlib.ExitStack) -> sqlite3.Connection:
    """A connection that can read. While a writer that was just started mends what the last one has left, none can."""
    patience = time.monotonic() + BUSY_SECONDS
    while True:
        with contextlib.ExitStack() as failed:
            connection = failed.enter_context(contextlib.closing(_read_only(path, closing)))
            try:
                _check(connection, path)
            except sqlite3.Error as error:
                if not error.sqlite_errorname.startswith("SQLITE_READONLY") or time.monotonic() > patience:
                    raise
                time.sleep(AGAIN_SECONDS)
                continue
            failed.pop_all()
            return connection


def _read_only(path: Path, closing: contextlib.ExitStack) -> sqlite3.Connection:
    """A connection that leaves the folder as it is, which mode=ro alone doesn't: it makes a -wal and a -shm file."""
    wal, shared = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    try:
        path.stat()
        if not wal.exists() or wal.stat().st_size == 0:
            how = "immutable=1"  # all of it is in the file itself
        elif shared.exists():
            how = "readonly_shm=1"  # of a writer, alive or killed
        else:  # copied without it: only a writable folder would do
            folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
            path, _ = (Path(shutil.copy(part, folder)) for part in (path, wal))
            how = ""
    except OSError as error:
        raise EdgeError(f"{path}: {error.strerror}") from None
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&{how}", timeout=BUSY_SECONDS, uri=True)
