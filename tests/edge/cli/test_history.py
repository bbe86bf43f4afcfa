import contextlib
import datetime
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from helpers.support import UNSHARE, Run, floats, one_sentence

from edge.history import store
from edge.config import History
from edge.answer import Answer
from edge.stats import Stats
from edge.history.recorder import HistoryOutput
from edge.history.day_plot import HOUR, by_hour
from edge.history.store import Segment

PNG = b"\x89PNG\r\n\x1a\n"
UTC = {**os.environ, "TZ": "UTC"}
NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC).timestamp()


def write(path: Path, *heard: tuple[float, float, str, str | None]) -> Path:
    with contextlib.closing(store.open_to_write(path)) as connection:
        rows = [Segment(1, i, *row, 0.9 if row[3] else 0.0, "a microphone") for i, row in enumerate(heard)]
        store.write(connection, rows)
    return path


def heard(path: Path) -> list[str]:
    with store.open_to_read(path) as connection:
        return store.labels(connection)


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def local(zone: str) -> dict[str, str]:
    if not Path("/usr/share/zoneinfo", zone).exists():
        pytest.skip("this machine doesn't know the zone")
    return {**os.environ, "TZ": zone}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Jazz at noon, an hour of silence, rock over midnight, and a minute without a microphone."""
    return write(
        tmp_path / "history.db",
        (NOON, 1800, "music", "jazz"),
        (NOON + 1800, 3600, "silence", None),
        (NOON + 12 * HOUR - 600, 1800, "music", "rock"),
        (NOON + 13 * HOUR, 60, "lost", None),
    )


@pytest.fixture
def alive(path: Path) -> Iterator[Path]:
    """The same, while edge-listen writes it."""
    output = HistoryOutput(History(str(path)), lambda: NOON + 18 * HOUR)
    output.start()
    output.show(Answer(5, "music", "blues", 0.5), Stats("a microphone"))
    deadline = time.monotonic() + 10
    while not path.with_name(path.name + "-wal").exists() or "blues" not in heard(path):
        assert time.monotonic() < deadline
    yield path
    output.close()


# What it says


def test_a_day_is_a_list_in_local_time(run: Run, path: Path) -> None:
    done = run("edge.cli.history", "--file", path, "day", "2026-11-22", env=UTC)
    assert done.stdout.splitlines() == [
        "12:00:00-12:30:00   0:30:00  jazz 90%",
        "12:30:00-13:30:00   1:00:00  silence",
        "23:50:00-00:00:00   0:10:00  rock 90%",
    ]


def test_a_stretch_across_midnight_is_in_both_days(run: Run, path: Path) -> None:
    done = run("edge.cli.history", "--file", path, "day", "2026-11-23", env=UTC)
    assert done.stdout.splitlines() == ["00:00:00-00:20:00   0:20:00  rock 90%", "01:00:00-01:01:00   0:01:00  lost"]


def test_the_days_are_those_of_the_time_zone(run: Run, path: Path) -> None:
    done = run("edge.cli.history", "--file", path, "day", "2026-11-22", env=local("Asia/Tokyo"))
    assert done.stdout.splitlines()[0].startswith("21:00:00-21:30:00")


def test_today_is_the_day_of_now(run: Run, tmp_path: Path) -> None:
    midnight = datetime.datetime.combine(datetime.datetime.now(datetime.UTC), datetime.time(), datetime.UTC)
    write(tmp_path / "h.db", (midnight.timestamp() - 60, 86_400, "music", "jazz"))
    done = run("edge.cli.history", "today", "--file", tmp_path / "h.db", env=UTC)
    assert "jazz 90%" in done.stdout


def test_a_day_as_json_is_its_rows(run: Run, path: Path) -> None:
    done = run("edge.cli.history", "--file", path, "day", "2026-11-22", "--json", env=UTC)
    first, _, last = map(json.loads, done.stdout.splitlines())
    assert first == {
        "run": 1,
        "number": 0,
        "began": NOON,
        "seconds": 1800,
        "state": "music",
        "label": "jazz",
        "confidence": 0.9,
        "device": "a microphone",
    }
    assert (last["label"], last["seconds"]) == ("rock", 600)


def test_labels_are_hours_the_longest_first(run: Run, path: Path) -> None:
    done = run("edge.cli.history", "--file", path, "labels")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["1.00", "h", "50%", "silence"],
        ["0.50", "h", "25%", "jazz"],
        ["0.50", "h", "25%", "rock"],
        ["0.02", "h", "1%", "lost"],
    ]


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        (["--since", "2026-11-23"], {"rock": 1200, "lost": 60}),
        (["--until", "2026-11-22"], {"jazz": 1800, "silence": 3600, "rock": 600}),
        (["--since", "2026-11-22", "--until", "2026-11-22"], {"jazz": 1800, "silence": 3600, "rock": 600}),
    ],
)
def test_labels_of_some_days(run: Run, path: Path, words: list[str], seconds: dict[str, float]) -> None:
    done = run("edge.cli.history", "labels", "--json", *words, "--file", path, env=UTC)
    rows = map(json.loads, done.stdout.splitlines())
    assert {row["label"] or row["state"]: row["seconds"] for row in rows} == pytest.approx(seconds)


def test_the_configuration_says_where_the_history_is(run: Run, path: Path) -> None:
    config = path.with_name("config.toml")
    config.write_text(f'[history]\nfile = "{path}"\n')
    assert "jazz" in run("edge.cli.history", "--config", config, "labels").stdout


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, edge.history; edge.history.parser(); print({'numpy', 'matplotlib'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


# The picture


@pytest.mark.parametrize(("suffix", "start"), [("png", PNG), ("svg", b"<?xml")])
def test_a_day_is_drawn_without_a_display(run: Run, path: Path, suffix: str, start: bytes) -> None:
    out = path.with_name(f"day.{suffix}")
    bare = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "MPLBACKEND")}
    done = run("edge.cli.history", "--file", path, "day", "2026-11-22", "--out", out, env=bare)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert out.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Sao_Paulo", "2018-11-04", 23),  # from 00:00 to 01:00
        ("Asia/Tokyo", "2026-03-29", 24),
    ],
)
def test_days_of_23_and_25_hours_are_told_and_drawn(
    run: Run, tmp_path: Path, zone: str, day: str, hours: float
) -> None:
    noon = datetime.datetime.fromisoformat(f"{day}T12:00+00:00").timestamp()
    write(tmp_path / "h.db", (noon - 3 * 86_400, 6 * 86_400, "silence", None))
    words = ("edge.history", "--file", tmp_path / "h.db", "day", day)
    (row,) = map(json.loads, run(*words, "--json", env=local(zone)).stdout.splitlines())
    assert row["seconds"] / HOUR == hours
    done = run(*words, "--out", tmp_path / "day.png", env=local(zone))
    assert (done.returncode, done.stderr) == (0, "")


@given(floats(0, 86_399), floats(0.001, 90_000))
def test_the_pieces_of_the_rows_are_the_stretch(begin: float, seconds: float) -> None:
    pieces = list(by_hour(Segment(1, 1, 1000 + begin, seconds, "lost", None, 0.0, ""), 1000))
    assert sum(length for _, _, length in pieces) == pytest.approx(seconds)
    assert all(start >= 0 and start + length <= HOUR + 1e-6 and length >= 0 for _, start, length in pieces)


def test_without_matplotlib_a_picture_is_one_sentence(path: Path) -> None:
    code = "import sys; sys.modules['matplotlib'] = None; from edge.history import main; main()"
    words = [sys.executable, "-c", code, "--file", path, "day", "2026-11-22", "--out", path.with_name("day.png")]
    done = subprocess.run(words, capture_output=True, text=True, env=UTC, check=False)
    assert done.returncode == 1
    assert one_sentence(done) == "error: a picture needs matplotlib: pip install 'edge-listen[history]'\n"


def test_a_picture_that_cannot_be_written_is_one_sentence(run: Run, path: Path) -> None:
    out = path.parent / "nowhere" / "day.png"
    done = run("edge.cli.history", "--file", path, "day", "2026-11-22", "--out", out, env=UTC)
    assert done.returncode == 1
    assert "No such file" in one_sentence(done)


# It only reads


def test_it_reads_while_edge_listen_writes(run: Run, alive: Path) -> None:
    before = state_of(alive.parent)
    done = run("edge.cli.history", "--file", alive, "labels")
    assert "blues" in done.stdout
    assert state_of(alive.parent) == before


def test_it_alters_nothing_of_a_history_at_rest(run: Run, path: Path) -> None:
    before = state_of(path.parent)
    assert run("edge.cli.history", "--file", path, "labels").returncode == 0
    assert state_of(path.parent) == before


@pytest.mark.parametrize("parts", [["", "-wal", "-shm"], ["", "-wal"]])
def test_it_reads_what_a_killed_writer_has_left_and_leaves_it_so(
    run: Run, alive: Path, tmp_path: Path, parts: list[str]
) -> None:
    left = tmp_path / "left"
    left.mkdir()
    for part in parts:
        shutil.copy(f"{alive}{part}", left)
    before = state_of(left)
    done = run("edge.cli.history", "--file", left / alive.name, "labels")
    assert "blues" in done.stdout
    assert state_of(left) == before


@pytest.mark.parametrize("parts", [[""], ["", "-wal", "-shm"], ["", "-wal"]])
def test_it_reads_from_a_read_only_file_system(alive: Path, tmp_path: Path, parts: list[str]) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = [*UNSHARE, "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"', disk]
    if not shutil.which("unshare") or subprocess.run([*mount, "true"], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    for part in parts:
        shutil.copy(f"{alive}{part}", disk)
    words = [sys.executable, "-m", "edge.cli.history", "--file", disk / alive.name, "labels"]
    done = subprocess.run([*mount, *words], capture_output=True, text=True, check=False)
    assert "jazz" in done.stdout, done.stderr
    assert ("blues" in done.stdout) == ("-wal" in parts)


def test_a_name_with_every_sign_of_an_address_is_a_name(run: Run, path: Path) -> None:
    odd = path.rename(path.with_name("what? 100% #1 & more;.db"))
    assert "jazz" in run("edge.cli.history", "--file", odd, "labels").stdout


# What is wrong is one sentence


def test_no_history(run: Run, tmp_path: Path) -> None:
    done = run("edge.cli.history", "--file", tmp_path / "none.db", "today")
    assert done.returncode == 1
    assert one_sentence(done) == f"error: {tmp_path}/none.db: No such file or directory\n"
    assert not list(tmp_path.iterdir())


def test_a_folder(run: Run, tmp_path: Path) -> None:
    assert "is a folder" in one_sentence(run("edge.cli.history", "--file", tmp_path, "today"))


def test_no_database(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no music")
    assert "notes.txt: is no SQLite database" in one_sentence(run("edge.cli.history", "--file", path, "today"))


def test_the_database_of_another_program(run: Run, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE stretch (x)")
    assert "of another program" in one_sentence(run("edge.cli.history", "--file", tmp_path / "x.db", "today"))


def test_a_damaged_database(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "h.db", *((NOON + i, 1, "music", f"label {i}") for i in range(500)))
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 40_000)
    assert "the database is damaged" in one_sentence(run("edge.cli.history", "--file", path, "labels"))


@pytest.mark.parametrize("words", [["today"], ["labels"]])
def test_an_empty_history(run: Run, tmp_path: Path, words: list[str]) -> None:
    assert "nothing was heard" in one_sentence(run("edge.cli.history", "--file", write(tmp_path / "h.db"), *words))


def test_an_empty_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "h.db").touch()
    assert "nothing was written to this history yet" in one_sentence(
        run("edge.cli.history", "--file", tmp_path / "h.db", "today")
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["today"], "either --file FILE or --config FILE"),
        (["today", "--file", "a", "--config", "b"], "either --file FILE or --config FILE"),
        (["today", "--config", "none.toml"], "none.toml: No such file"),
        (["today", "--config", "{empty}"], "has no table [history]"),
        (["day", "yesterday", "--file", "{file}"], "'yesterday' is no date: write it as YYYY-MM-DD"),
        (["day", "2026-02-30", "--file", "{file}"], "is no date"),
        (["day", "9999-12-31", "--file", "{file}"], "can't count to that day"),
        (["day", "0001-01-01", "--file", "{file}"], "can't count to that day"),
        (["labels", "--since", "2026-11-23", "--until", "2026-11-22", "--file", "{file}"], "is after --until"),
        (["labels", "--since", "soon", "--file", "{file}"], "'soon' is no date"),
        (["today", "--out", "day.gif", "--file", "{file}"], "has to end in .png or .svg"),
        (["today", "--out", "day.png", "--json", "--file", "{file}"], "goes without --json"),
    ],
)
def test_bad_words(run: Run, path: Path, words: list[str], said: str) -> None:
    empty = path.with_name("empty.toml")
    empty.touch()
    done = run("edge.cli.history", *(word.format(file=path, empty=empty) for word in words))
    assert done.returncode == 2
    assert said in one_sentence(done)
