"""The interface to systemd and to edge-deploy --status: sd_notify messages and the file status.json."""

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from golden.commands import DEADLINE_SECONDS, PipedListener, demo
from golden.recording import as_json_lines, check, json_lines

# As systemd sets it: the watchdog is meant for the process that the shell becomes.
AS_A_SERVICE = ("sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "sh")
LEAST_SECONDS = 1.2  # messages come at most once a second, and so does the file


@pytest.fixture
def notify(tmp_path: Path) -> Iterator[socket.socket]:
    """Our end of NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind(str(tmp_path / "notify"))
        ours.settimeout(DEADLINE_SECONDS)
        yield ours


def test_systemd_is_notified_of_readiness_of_answers_and_of_the_end(notify: socket.socket) -> None:
    env = {"NOTIFY_SOCKET": notify.getsockname(), "WATCHDOG_USEC": "30000000"}
    with PipedListener(env=env, prefix=AS_A_SERVICE) as listener:
        listener.write(demo(0, 2.5))
        listener.until(lambda answer: answer["t"] == 2.5)
        listener.write_slowly(demo(2.5, 2.9), LEAST_SECONDS)
        listener.write(demo(2.9, 3.0))
        listener.until(lambda answer: answer["t"] == 3.0)
        assert listener.finish() == 0
    messages = [notify.recv(4096).decode()]
    while messages[-1] != "STOPPING=1":
        messages.append(notify.recv(4096).decode())
    check("systemd.jsonl", as_json_lines(messages), json_lines)


@pytest.fixture
def status(tmp_path: Path) -> Iterator[Path]:
    """status.json of a listener that has heard three seconds; it is gone when the listener ends."""
    path = tmp_path / "status.json"
    with PipedListener(env={"RUNTIME_DIRECTORY": str(tmp_path)}) as listener:
        listener.write(demo(0, 2.5))
        listener.until(lambda answer: answer["t"] == 2.5)
        listener.write_slowly(demo(2.5, 2.9), LEAST_SECONDS)
        listener.write(demo(2.9, 3.0))
        listener.until(lambda answer: answer["t"] == 3.0)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not path.exists() or json.loads(path.read_text())["t"] != 3.0:
            assert time.monotonic() < deadline, "status.json is not written"
        yield path
        assert listener.finish() == 0
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - names, not paths


def test_status_json_of_a_running_listener(status: Path) -> None:
    fields = json.loads(status.read_text(encoding="utf-8"))
    assert isinstance(fields["version"], str)
    assert 0 <= fields["delay_seconds"] < DEADLINE_SECONDS
    check("status.json", as_json_lines([{**fields, "version": "VERSION", "delay_seconds": 0.0}]), json_lines)
