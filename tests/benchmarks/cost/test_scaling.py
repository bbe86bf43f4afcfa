"""The command on the shipped model; whether the lines are straight is a result of the benchmark, not of a test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cost.scaling import HOPS, PARTS, STREAMS, Point, fit_line


def scaling(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.cost.scaling", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_three_series_are_measured_drawn_and_written(tmp_path: Path) -> None:
    picture, report = tmp_path / "scaling.png", tmp_path / "scaling.json"
    done = scaling("--hours", "0.1", "--picture", str(picture), "--json", str(report))
    assert (done.returncode, done.stderr) == (0, "")
    assert picture.read_bytes().startswith(b"\x89PNG")
    lines = json.loads(report.read_text())["lines"]
    assert [p["x"] for p in lines["answers a second"]] == [1 / hop for hop in HOPS]
    assert [p["x"] for p in lines["streams"]] == list(STREAMS)
    assert [p["x"] for p in lines["hours"]] == [0.1 * part for part in PARTS]
    assert all(p["cpu_ms"] > 0 and p["resident_mb"] > 10 for points in lines.values() for p in points)
    assert done.stdout.count("line: ") == len(lines)


def test_hours_out_of_range_are_an_invalid_argument() -> None:
    done = scaling("--hours", "0")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --hours 0:")


def test_the_line_through_points_that_lie_on_one() -> None:
    assert fit_line([Point(x, 3 + 2 * x, None) for x in (1, 2, 5)]) == pytest.approx((3, 2))
