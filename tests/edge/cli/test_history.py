"""The command edge-history on real files."""

import contextlib
import datetime
import itertools
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.history_files import NOON, UTC, recording, rows, time_zone, write_day, write_segments
from helpers.mounts import with_mount
from helpers.support import Run, one_sentence, wait_for

from edge.answer import Answer
from edge.stats import Stats

MAX_ROUNDING = 1e-6  # of Unix times, seconds


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_day(tmp_path / "history.db")


@pytest.fixture
def alive(path: Path) -> Iterator[Path]:
    """The same, while a recorder writes to it."""
    with recording(path, clock=lambda: NOON + 18 * 3600) as recorder:
        recorder.show(Answer(5, "music", "blues", 0.5), Stats("a microphone"))
        wait_for(lambda: "blues" in [row.label for row in rows(path)])
        assert path.with_name(path.name + "-wal").exists()
        yield path


# Output


def test_a_day_is_a_list_in_local_time(run: Run, path: Path) -> None:
    done = run("edge.cli.history", "--file", path, "day", "2026-11-22", env=UTC)
    assert done.stdout.splitlines() == [
        "12:00:00-12:30:00   0:30:00  jazz 90%",
        "12:30:00-13:30:00   1:00:00  silence",
        "23:50:00-00:00:00   0:10:00  rock 90%",
    ]


def test_a_segment_across_midnight_is_in_both_days(run: Run, path: Path) -> None:
    done = run("edge.cli.history", "--file", path, "day", "2026-11-23", env=UTC)
    assert done.stdout.splitlines() == ["00:00:00-00:20:00   0:20:00  rock 90%", "01:00:00-01:01:00   0:01:00  lost"]


def test_the_days_are_those_of_the_time_zone(run: Run, path: Path) -> None:
    done = run("edge.cli.history", "--file", path, "day", "2026-11-22", env=time_zone("Asia/Tokyo"))
    assert done.stdout.splitlines()[0].startswith("21:00:00-21:30:00")


def test_today_is_the_day_of_now(run: Run, tmp_path: Path) -> None:
    midnight = datetime.datetime.combine(datetime.datetime.now(datetime.UTC), datetime.time(), datetime.UTC)
    write_segments(tmp_path / "h.db", (midnight.timestamp() - 60, 86_400, "music", "jazz"))
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


def test_labels_have_their_hours_the_longest_first(run: Run, path: Path) -> None:
    done = run("edge.cli.history", "--file", path, "labels")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["1.00", "h", "50%", "silence"],
        ["0.50", "h", "25%", "jazz"],
        ["0.50", "h", "25%", "rock"],
        ["0.02", "h", "1%", "lost"],
    ]


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [
        (["--since", "2026-11-23"], {"rock": 1200, "lost": 60}),
        (["--until", "2026-11-22"], {"jazz": 1800, "silence": 3600, "rock": 600}),
        (["--since", "2026-11-22", "--until", "2026-11-22"], {"jazz": 1800, "silence": 3600, "rock": 600}),
    ],
)
def test_labels_of_some_days(run: Run, path: Path, arguments: list[str], seconds: dict[str, float]) -> None:
    done = run("edge.cli.history", "labels", "--json", *arguments, "--file", path, env=UTC)
    rows = map(json.loads, done.stdout.splitlines())
    assert {row["label"] or row["state"]: row["seconds"] for row in rows} == pytest.approx(seconds)


def test_the_history_may_be_named_by_a_configuration(run: Run, path: Path) -> None:
    config = path.with_name("config.toml")
    config.write_text(f'[history]\nfile = "{path}"\n')
    assert "jazz" in run("edge.cli.history", "--config", config, "labels").stdout


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, edge.cli.history as h; h.parser(); print({'numpy', 'matplotlib'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


# What edge-listen writes


@pytest.mark.parametrize("hop", [0.5, 4.0])
def test_segments_of_a_file_do_not_overlap_and_add_up_to_its_length(run: Run, tmp_path: Path, hop: float) -> None:
    path = tmp_path / "history.db"
    done = run("edge.cli.listen", "--demo", "--raw", "--json", "--hop", hop, "--history", path)
    *answers, summary = map(json.loads, done.stdout.splitlines())
    times = [0.0, *(answer["t"] for answer in answers)]
    warming = sum(
        b - a for a, b, answer in zip(times, times[1:], answers, strict=False) if answer["state"] == "warming"
    )
    segments = sorted(rows(path), key=lambda segment: segment.number)
    assert len(segments) > 2
    for segment, following in itertools.pairwise(segments):
        assert segment.began + segment.seconds <= following.began + MAX_ROUNDING
    assert sum(segment.seconds for segment in segments) + warming == pytest.approx(summary["t"], abs=0.001)
    assert summary["t"] == pytest.approx(30.0, abs=0.01)


# Reading without changing anything


def test_it_reads_while_edge_listen_writes(run: Run, alive: Path) -> None:
    before = state_of(alive.parent)
    done = run("edge.cli.history", "--file", alive, "labels")
    assert "blues" in done.stdout
    assert state_of(alive.parent) == before


def test_it_changes_nothing_in_a_history_at_rest(run: Run, path: Path) -> None:
    before = state_of(path.parent)
    assert run("edge.cli.history", "--file", path, "labels").returncode == 0
    assert state_of(path.parent) == before


@pytest.mark.parametrize("parts", [["", "-wal", "-shm"], ["", "-wal"]])
def test_it_reads_the_files_of_a_killed_writer_and_leaves_them_unchanged(
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


@pytest.mark.root
@pytest.mark.parametrize("parts", [[""], ["", "-wal", "-shm"], ["", "-wal"]])
def test_it_reads_from_a_read_only_file_system(alive: Path, tmp_path: Path, parts: list[str]) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = with_mount('mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"', disk)
    for part in parts:
        shutil.copy(f"{alive}{part}", disk)
    arguments = [sys.executable, "-m", "edge.cli.history", "--file", disk / alive.name, "labels"]
    done = subprocess.run([*mount, *arguments], capture_output=True, text=True, check=False)
    assert "jazz" in done.stdout, done.stderr
    assert ("blues" in done.stdout) == ("-wal" in parts)


def test_a_file_name_may_contain_any_character_of_a_uri(run: Run, path: Path) -> None:
    odd = path.rename(path.with_name("what? 100% #1 & more;.db"))
    assert "jazz" in run("edge.cli.history", "--file", odd, "labels").stdout


# Errors


def test_a_missing_file(run: Run, tmp_path: Path) -> None:
    done = run("edge.cli.history", "--file", tmp_path / "none.db", "today")
    assert done.returncode == 1
    assert one_sentence(done) == f"error: {tmp_path}/none.db: No such file or directory\n"
    assert not list(tmp_path.iterdir())


def test_a_folder(run: Run, tmp_path: Path) -> None:
    assert "is a folder" in one_sentence(run("edge.cli.history", "--file", tmp_path, "today"))


def test_a_file_that_is_not_a_database(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no music")
    assert "notes.txt: is not an SQLite database" in one_sentence(run("edge.cli.history", "--file", path, "today"))


def test_the_database_of_another_program(run: Run, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE stretch (x)")
    assert "of another program" in one_sentence(run("edge.cli.history", "--file", tmp_path / "x.db", "today"))


def test_a_damaged_database(run: Run, tmp_path: Path) -> None:
    path = write_segments(tmp_path / "h.db", *((NOON + i, 1, "music", f"label {i}") for i in range(500)))
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 40_000)
    assert "the database is damaged" in one_sentence(run("edge.cli.history", "--file", path, "labels"))


@pytest.mark.parametrize("arguments", [["today"], ["labels"]])
def test_an_empty_history(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    assert "nothing was heard" in one_sentence(
        run("edge.cli.history", "--file", write_segments(tmp_path / "h.db"), *arguments)
    )


def test_an_empty_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "h.db").touch()
    assert "the history is empty, nothing was written yet" in one_sentence(
        run("edge.cli.history", "--file", tmp_path / "h.db", "today")
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["today"], "expected either --file FILE or --config FILE"),
        (["today", "--file", "a", "--config", "b"], "expected either --file FILE or --config FILE"),
        (["today", "--config", "none.toml"], "none.toml: No such file"),
        (["today", "--config", "{empty}"], "has no table [history]"),
        (["day", "yesterday", "--file", "{file}"], "invalid date 'yesterday': expected YYYY-MM-DD"),
        (["day", "2026-02-30", "--file", "{file}"], "invalid date '2026-02-30'"),
        (["day", "9999-12-31", "--file", "{file}"], "outside the dates that this machine supports"),
        (["day", "0001-01-01", "--file", "{file}"], "outside the dates that this machine supports"),
        (["labels", "--since", "2026-11-23", "--until", "2026-11-22", "--file", "{file}"], "is after --until"),
        (["labels", "--since", "soon", "--file", "{file}"], "invalid date 'soon'"),
        (["today", "--out", "day.gif", "--file", "{file}"], "must end in .png or .svg"),
        (["today", "--out", "day.png", "--json", "--file", "{file}"], "--out and --json exclude each other"),
    ],
)
def test_invalid_arguments(run: Run, path: Path, arguments: list[str], sentence: str) -> None:
    empty = path.with_name("empty.toml")
    empty.touch()
    done = run("edge.cli.history", *(word.format(file=path, empty=empty) for word in arguments))
    assert done.returncode == 2
    assert sentence in one_sentence(done)
