"""24 hours of audio, faster than real time: in pieces of any length through a pipe, and hour by hour for comparison."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.support import synthesise

from edge.answer import Answer
from edge.arrays import FloatArray
from edge.listener import Listener
from edge.model.load import load_model

pytestmark = pytest.mark.slow

RATE = 22_050
HOURS = 24
HOP_SECONDS = 2.0
GROWTH_KB = 1024


@pytest.fixture(scope="module")
def hour() -> FloatArray:
    """(n,) int16 samples of an hour that changes every half minute: melodies, noise, quiet melodies, silence."""
    rng = np.random.default_rng(0)
    parts = []
    for i in range(120):
        part = synthesise(30.0, RATE, 1, seed=i)[:, 0]
        kind = i % 6
        if kind == 2:
            part = 0.05 * rng.standard_normal(len(part))
        elif kind == 4:
            part = part * (1e-4 if i % 12 == 4 else 0.0)
        parts.append(part)
    return (np.concatenate(parts) * 32_767).astype("<i2")


def resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def feed(process: "subprocess.Popen[bytes]", hour: FloatArray) -> None:
    rng = np.random.default_rng(1)
    assert process.stdin is not None
    content = hour.tobytes()
    for _ in range(HOURS):
        start = 0
        while start < len(content):
            end = start + int(rng.integers(1, 1 << 17))
            process.stdin.write(content[start:end])
            start = end
    process.stdin.close()


def hour_by_hour(hour: FloatArray) -> Iterator[Answer]:
    listener = Listener(load_model(), RATE, HOP_SECONDS)
    samples = (hour.astype(np.float32) / np.float32(32_768)).reshape(-1, 1)
    for _ in range(HOURS):
        yield from listener.process(samples)
    yield from listener.flush()


def test_a_day_in_pieces_gives_the_same_answers_in_constant_memory(hour: FloatArray) -> None:
    arguments = ["-", "--rate", str(RATE), "--json", "--hop", str(HOP_SECONDS)]
    command = [sys.executable, "-m", "edge.cli.listen", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        feeder = threading.Thread(target=feed, args=(process, hour))
        feeder.start()
        assert process.stdout is not None
        resident = []
        expected = hour_by_hour(hour)
        lines = (json.loads(line) for line in process.stdout)
        for line in lines:
            if line.get("final"):
                break
            if line["t"] % 3600 == 0:
                resident.append(resident_kb(process.pid))
            answer = next(expected)
            assert (line["t"], line["state"], line["label"]) == (round(answer.time, 3), answer.state, answer.label)
            assert line["confidence"] == pytest.approx(answer.confidence, abs=1e-3)
        feeder.join()
    assert next(expected, None) is None
    assert line["t"] == pytest.approx(HOURS * len(hour) / RATE)
    print(f"resident after each hour: {resident} KB")
    assert max(resident[1:]) - resident[0] < GROWTH_KB
