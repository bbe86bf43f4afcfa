"""Days of 23 to 25 hours, and their plots."""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.history_files import UTC, time_zone, write_day, write_segments
from helpers.support import Run, floats, one_sentence
from hypothesis import given

from edge.history.day_plot import HOUR, by_hour
from edge.history.segments import Segment

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_day(tmp_path / "history.db")


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
@pytest.mark.slow
def test_days_of_23_and_25_hours_are_listed_and_drawn(
    run: Run, tmp_path: Path, zone: str, day: str, hours: float
) -> None:
    noon = datetime.datetime.fromisoformat(f"{day}T12:00+00:00").timestamp()
    write_segments(tmp_path / "h.db", (noon - 3 * 86_400, 6 * 86_400, "silence", None))
    arguments = ("edge.cli.history", "--file", tmp_path / "h.db", "day", day)
    (row,) = map(json.loads, run(*arguments, "--json", env=time_zone(zone)).stdout.splitlines())
    assert row["seconds"] / HOUR == hours
    done = run(*arguments, "--out", tmp_path / "day.png", env=time_zone(zone))
    assert (done.returncode, done.stderr) == (0, "")


@given(floats(0, 86_399), floats(0.001, 90_000))
def test_the_pieces_by_hour_add_up_to_the_segment(begin: float, seconds: float) -> None:
    pieces = list(by_hour(Segment(1, 1, 1000 + begin, seconds, "lost", None, 0.0, ""), 1000))
    assert sum(length for _, _, length in pieces) == pytest.approx(seconds)
    assert all(start >= 0 and start + length <= HOUR + 1e-6 and length >= 0 for _, start, length in pieces)


def test_the_error_without_matplotlib_names_what_to_install(path: Path) -> None:
    code = "import sys; sys.modules['matplotlib'] = None; from edge.cli.history import main; main()"
    arguments = [sys.executable, "-c", code, "--file", path, "day", "2026-11-22", "--out", path.with_name("day.png")]
    done = subprocess.run(arguments, capture_output=True, text=True, env=UTC, check=False)
    assert done.returncode == 1
    assert one_sentence(done) == "error: --out needs matplotlib: pip install 'edge-listen[history]'\n"


def test_a_plot_that_cannot_be_written_is_one_sentence(run: Run, path: Path) -> None:
    out = path.parent / "nowhere" / "day.png"
    done = run("edge.cli.history", "--file", path, "day", "2026-11-22", "--out", out, env=UTC)
    assert done.returncode == 1
    assert "No such file" in one_sentence(done)
