"""A full disk, killed writers and a power cut."""

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.history_files import STATS, music, recording, rows
from helpers.mounts import with_mount
from helpers.support import wait_for

from edge.errors import EdgeError
from edge.history import store

KILLS = 20  # of one file: reading it takes longer after each


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


FULL_DISK = """
import logging, resource, sys, time
from pathlib import Path
from edge.config import History
from edge.answer import Answer
from edge.stats import Stats
from edge.history import recorder
from edge.history.recorder import HistoryRecorder

logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s", level=logging.INFO)
recorder.FIRST_RETRY_SECONDS = 0.05
recorder.MAX_RETRY_SECONDS = 0.05
file, cause = Path(sys.argv[1]), sys.argv[2]
ballast = file.with_name("ballast")


def fill():
    if cause == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    else:
        with ballast.open("wb", buffering=0) as out:
            try:
                while out.write(bytes(512)):
                    pass
            except OSError:
                pass


def empty():
    if cause == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        ballast.unlink()


output = HistoryRecorder(History(str(file)))
output.start()
for t in range(1, 1001):
    if t == 100:
        time.sleep(0.3)
        fill()
    if t == 900:
        time.sleep(0.3)
        empty()
        time.sleep(0.3)
    output.show(Answer(t, "music", f"label {t}", 0.5), Stats("x"))
    time.sleep(0.0005)
output.close()
import sqlite3
print(sqlite3.connect(file).execute("SELECT count(DISTINCT label) FROM stretch").fetchone())
print(sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone())
"""


def full_disk(cause: str, file: Path, *prefix: str) -> None:
    done = subprocess.run([*prefix, sys.executable, "-c", FULL_DISK, file, cause], capture_output=True, text=True)
    assert done.stderr == ""
    outage, recovery, count, integrity = done.stdout.splitlines()
    reason = "the disk is full" if cause == "disk" else "disk read or write error"
    assert outage == f"WARNING history {file}: {reason}, what is heard is kept in memory; trying again"
    assert recovery == f"INFO history {file}: works again"
    assert (count, integrity) == ("(1000,)", "('ok',)")


@pytest.mark.slow
def test_a_limit_on_the_size_of_files_is_logged_and_survived(path: Path) -> None:
    full_disk("limit", path)


@pytest.mark.root
def test_a_full_disk_is_logged_and_survived(tmp_path: Path) -> None:
    full_disk("disk", tmp_path / "history.db", *with_mount('mount -t tmpfs -o size=8m none "$0"', tmp_path))


FORKS = """
import os, signal, sys, time
from edge.config import History
from edge.answer import Answer
from edge.stats import Stats
from edge.history.recorder import HistoryRecorder

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
parent = os.getpid()
for _ in sys.stdin:  # importing is slow: one process imports, and its forks are killed
    if pid := os.fork():
        print(pid, flush=True)
        continue
    output = HistoryRecorder(History(sys.argv[1]))
    output.start()
    t = 0
    while os.getppid() == parent:
        output.show(Answer(t, "music", f"label {t // 3}", 0.5), Stats("x"))
        time.sleep(0.0005)
        t += 1
    os._exit(1)
"""


def committed(path: Path) -> dict[tuple[int, int], float]:
    return {(row.run, row.number): row.seconds for row in rows(path)}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_killed_writers_damage_nothing_and_lose_no_committed_row(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    parent = subprocess.Popen([sys.executable, "-c", FORKS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin
    assert parent.stdout
    known: dict[tuple[int, int], float] = {}
    for kill in range(KILLS):
        parent.stdin.write(b"\n")
        parent.stdin.flush()
        pid = int(parent.stdout.readline())
        runs = len({run for run, _ in known})

        def has_written(runs: int = runs) -> bool:
            with contextlib.suppress(EdgeError):  # not there yet
                known.update(committed(path))
            return len({run for run, _ in known}) > runs

        wait_for(has_written)
        time.sleep(rng.uniform(0.02, 0.15))
        known.update(committed(path))
        os.kill(pid, 9)
        wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists())
        after = committed(path)
        assert all(after[key] >= seconds for key, seconds in known.items())
        # Every other time the next writer is the first to open what the killed one has left.
        check = contextlib.closing(sqlite3.connect(path)) if kill % 2 else store.open_to_read(path)
        with check as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    parent.communicate()
    assert len({run for run, _ in known}) == KILLS


def test_a_power_cut_loses_only_the_last_rows(path: Path, tmp_path: Path) -> None:
    """A cut leaves a beginning of the write-ahead log, and any beginning is a complete database."""
    rng = random.Random(0)
    with recording(path) as output:
        for t in range(1, 200):
            output.show(music(f"label {t}", t), STATS)
            time.sleep(0.001)
        wait_for(lambda: len(rows(path)) == 199)
        (log,) = path.parent.glob("*-wal")
        file, wal = path.read_bytes(), log.read_bytes()
    torn = tmp_path / "torn"
    torn.mkdir()
    counts = []
    for length in sorted(rng.randrange(len(wal)) for _ in range(60)):
        (torn / path.name).write_bytes(file)
        (torn / log.name).write_bytes(wal[:length])
        with contextlib.closing(sqlite3.connect(torn / path.name)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
                numbers = [n for (n,) in connection.execute("SELECT number FROM stretch ORDER BY number")]
                assert numbers == list(range(1, len(numbers) + 1))
                counts.append(len(numbers))
        shutil.rmtree(torn)
        torn.mkdir()
    assert counts == sorted(counts)
    assert counts[-1] > 150
