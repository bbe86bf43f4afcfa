"""The commands of the package as a user runs them: one process each, outside this checkout.

The golden tests know the package by nothing else, so that its modules can be moved without touching a test.
"""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import soundfile
from helpers.support import synthesise

COMMANDS = {  # the module of each command; nothing else here names a module of the package
    "edge-listen": "edge.cli.listen",
    "edge-label": "edge.cli.label",
    "edge-history": "edge.cli.history",
    "edge-deploy": "edge.deploy.command",
}
ROOT = Path(__file__).parents[2]
DEMO = ROOT / "edge" / "data" / "demo.ogg"
DEMO_RATE = 22_050  # Hz, mono; the shipped model's rate, so that no resampler holds samples back
DEADLINE_SECONDS = 60.0
PIECE_SECONDS = 0.2  # a pipe without audio for 1.5 s counts as lost

Answer = dict[str, Any]


def command(name: str, *arguments: object) -> list[str]:
    """The words that start a command."""
    return [sys.executable, "-m", COMMANDS[name], *map(str, arguments)]


def environment(changes: dict[str, str] | None = None) -> dict[str, str]:
    """Environment in which a command finds the package from any folder."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "TZ": "UTC", **(changes or {})}


def run(
    name: str, *arguments: object, env: dict[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(
        command(name, *arguments),
        env=environment(env),
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
        **options,
    )


def output(name: str, *arguments: object, **options: Any) -> str:
    """Standard output of a command that succeeds."""
    done = run(name, *arguments, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def demo(begin: float = 0.0, end: float = 30.0) -> bytes:
    """A part of the demo clip, in seconds, as 16-bit PCM at DEMO_RATE."""
    samples, _ = soundfile.read(DEMO, dtype="int16", start=round(begin * DEMO_RATE), stop=round(end * DEMO_RATE))
    return samples.astype("<i2").tobytes()


def melody(seconds: float, rate: int, channels: int) -> np.ndarray:
    """A plucked melody in a noisy room, the same every time: (n, channels) samples of 16 bits.

    The noise makes the answers independent of the last bit, which log-mel features of pure tones are not.
    """
    tones = synthesise(seconds, rate, channels)
    noise = np.random.default_rng(1).normal(0.0, 1e-3, (len(tones), 1))
    return np.round((tones + noise) * 32_000).astype("<i2")


class PipedListener:
    """A running `edge-listen - --json` that hears 16-bit mono PCM at DEMO_RATE."""

    def __init__(self, *arguments: object, env: dict[str, str] | None = None, prefix: tuple[str, ...] = ()) -> None:
        words = command("edge-listen", "-", "--json", "--rate", DEMO_RATE, *arguments)
        self.process = subprocess.Popen(
            [*prefix, *words],
            env=environment(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A test run in the background of a script inherits that SIGINT is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        self.lines: list[str] = []
        self._deadline = threading.Timer(DEADLINE_SECONDS, self.process.kill)  # then reading ends, and the test fails
        self._deadline.start()

    def write(self, samples: bytes) -> None:
        """Let it hear raw PCM."""
        assert self.process.stdin
        self.process.stdin.write(samples)
        self.process.stdin.flush()

    def write_slowly(self, samples: bytes, seconds: float) -> None:
        """Let it hear raw PCM in pieces over so much time, so that the pipe never pauses."""
        pieces = math.ceil(seconds / PIECE_SECONDS)
        size = -(-len(samples) // pieces)
        for begin in range(0, len(samples), size):
            self.write(samples[begin : begin + size])
            time.sleep(seconds / pieces)

    def until(self, condition: Callable[[Answer], bool]) -> Answer:
        """The first new answer for which the condition holds."""
        assert self.process.stdout
        while line := self.process.stdout.readline().decode():
            self.lines.append(line)
            if condition(answer := json.loads(line)):
                return answer
        raise AssertionError(f"edge-listen ended before that answer: {self.lines[-3:]}")

    def finish(self) -> int:
        """Close its standard input; returns the exit status, all that it printed is in `lines` then."""
        return self._end()

    def stop(self, number: signal.Signals) -> int:
        """Send a signal; returns the exit status."""
        self.process.send_signal(number)
        return self._end()

    def _end(self) -> int:
        remaining, _ = self.process.communicate()
        self.lines += remaining.decode().splitlines(keepends=True)
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._deadline.cancel()
        self.process.kill()
        self.process.communicate()
