"""Ends of edge-listen from outside: signals, a closed pipe, a full disk."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.support import heed_sigint

LISTEN = [sys.executable, "-m", "edge.cli.listen"]


def test_ctrl_c_ends_quietly() -> None:
    pipe = subprocess.PIPE
    command = [*LISTEN, "-", "--json"]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=heed_sigint) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(bytes(96_000))
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
        assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    "seconds", [pytest.param(0.02 * 1.25**i, marks=pytest.mark.slow if i % 4 else ()) for i in range(20)]
)
@pytest.mark.slow
def test_sigterm_ends_the_command_cleanly_at_any_time(seconds: float, tmp_path: Path) -> None:
    """From the start of Python to a second of listening; nothing is written to its pipe."""
    command = [*LISTEN, "-", "--history", str(tmp_path / "history.db"), "--mqtt", "no-such-host.invalid"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        assert process.returncode in (0, -signal.SIGTERM)  # the latter before everything is loaded
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


def test_standard_output_on_a_full_disk_is_one_sentence(melody: Path) -> None:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        command = [*LISTEN, str(melody)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=buffered)
    assert done.returncode == 1
    assert done.stderr == "error: output: No space left on device\n"


def test_a_closed_pipe_ends_quietly(melody: Path) -> None:
    command = f"'{sys.executable}' -m edge.cli.listen '{melody}' --json --hop 0.05 | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    assert json.loads(done.stdout)["t"] == 0.05
