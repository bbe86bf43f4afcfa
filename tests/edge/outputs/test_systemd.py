"""systemd's side of the readiness protocol is a datagram socket: here it is ours."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.support import one_sentence

from edge.answer import Answer
from edge.deploy.wanted import UNIT
from edge.stats import Stats
from edge.outputs.systemd import SystemdOutput


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind(str(tmp_path / "notify"))
        ours.settimeout(10)
        yield ours


def listen(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge.cli.listen", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_is_ready_with_the_first_sound_and_says_when_it_stops(systemd: socket.socket, melody: Path) -> None:
    assert listen({"NOTIFY_SOCKET": systemd.getsockname()}, str(melody)).returncode == 0
    first = systemd.recv(4096).decode().split("\n")
    assert {"READY=1", "WATCHDOG=1", f"STATUS=listening …; {melody}"} == set(first)
    systemd.settimeout(1)
    messages = [systemd.recv(4096)]
    while messages[-1] != b"STOPPING=1":
        messages.append(systemd.recv(4096))


def test_it_is_not_ready_while_nothing_arrives(systemd: socket.socket) -> None:
    output = SystemdOutput(systemd.getsockname())
    output.show(Answer(2.0, "lost", lost=2.0, note="unplugged"), Stats("mic"))
    assert systemd.recv(4096).decode() == "WATCHDOG=1\nSTATUS=NO SOUND ARRIVES; unplugged; mic"
    output.close()


def test_a_systemd_that_is_gone_stops_nothing(melody: Path, tmp_path: Path) -> None:
    assert listen({"NOTIFY_SOCKET": str(tmp_path / "gone")}, str(melody)).returncode == 0


def test_a_hop_that_the_watchdog_would_not_survive_is_refused(systemd: socket.socket, melody: Path) -> None:
    environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000000"}
    done = listen(environment, str(melody), "--hop", "20")
    assert done.returncode == 2
    assert "too long for systemd's WatchdogSec=30" in one_sentence(done)


def test_the_log_has_the_journals_priorities_where_a_journal_reads_it(melody: Path, tmp_path: Path) -> None:
    words = [str(melody), "--history", str(tmp_path / "no" / "such" / "folder")]
    assert listen({"JOURNAL_STREAM": "8:1"}, *words).stderr.startswith("<4>history ")
    assert listen({}, *words).stderr.startswith("warning: history ")


def test_the_unit_is_what_systemd_takes(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is missing: apt install systemd"
    unit = tmp_path / "edge-listen.service"
    unit.write_text(UNIT.read_text().replace("/opt/edge-listen/current/bin/edge-listen", sys.executable))
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
