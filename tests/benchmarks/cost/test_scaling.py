"""The command on the shipped model; that the lines are straight is for the benchmark to show, not for a test."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cost.scaling import HOPS, PARTS, STREAMS, Point, line
from edge.benchmark.worker import WatchedEar
from edge.model import load

RATE, HOP_S = 48_000, 0.5


def test_the_three_lines_are_measured_drawn_and_written(tmp_path: Path) -> None:
    picture, report = tmp_path / "scaling.png", tmp_path / "scaling.json"
    words = ["--hours", "0.1", "--picture", str(picture), "--json", str(report)]
    done = subprocess.run([sys.executable, "-m", "benchmarks.cost.scaling", *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert picture.read_bytes().startswith(b"\x89PNG")
    lines = json.loads(report.read_text())["lines"]
    assert [q["x"] for q in lines["answers a second"]] == [1 / hop for hop in HOPS]
    assert [q["x"] for q in lines["streams"]] == list(STREAMS)
    assert [q["x"] for q in lines["hours"]] == [0.1 * part for part in PARTS]
    assert all(q["cpu_ms"] > 0 and q["resident_mb"] > 10 for points in lines.values() for q in points)
    assert done.stdout.count("line: ") == len(lines)


def test_hours_that_cannot_be_are_words_that_are_off() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks.cost.scaling", "--hours", "0"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --hours 0:")


def test_the_line_through_points_that_lie_on_one() -> None:
    assert line([Point(x, 3 + 2 * x, None) for x in (1, 2, 5)]) == pytest.approx((3, 2))


def test_streams_of_one_network_hear_each_for_itself() -> None:
    """Four ears that hear the same say the same as one, and one that hears something else says what it would alone."""
    rng = np.random.default_rng(0)
    loud, soft = (rng.normal(0, scale, (12, round(HOP_S * RATE), 1)).astype(np.float32) for scale in (0.3, 0.01))
    alone = WatchedEar(load(), RATE, HOP_S)
    together = WatchedEar(load(), RATE, HOP_S, streams=4)
    for block in loud:
        expected = alone.hear(block)  # one answer, once the resampler has filled
        assert together.hear(block) == expected * 4
    model = load()
    mixed = [model, model.another()]
    for block_a, block_b in zip(loud, soft, strict=True):
        for each, block in zip(mixed, (block_a, block_b), strict=True):
            each.advance(block[:, 0])
    lonely = load()
    for block in soft:
        lonely.advance(block[:, 0])
    np.testing.assert_array_equal(mixed[1].probabilities(), lonely.probabilities())
    assert not np.array_equal(mixed[0].probabilities(), lonely.probabilities())
