"""Notifications to systemd; the tests hold its end of the socket."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.support import one_sentence

import edge
from edge.answer import Answer
from edge.config import HOP_SECONDS, Config
from edge.errors import UsageError
from edge.outputs.configured import make_outputs
from edge.outputs.systemd import SystemdOutput
from edge.stats import Stats

UNIT = Path(edge.__file__).with_name("data") / "edge-listen.service"


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.settimeout(10)
        yield end


def listen(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge.cli.listen", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def set_environment(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    """Set what systemd sets, and nothing else of it."""
    for name in ("NOTIFY_SOCKET", "RUNTIME_DIRECTORY", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_a_file_name_that_is_not_utf8_or_has_two_lines_is_one_status_line(systemd: socket.socket) -> None:
    output = SystemdOutput(systemd.getsockname(), HOP_SECONDS)
    output.show(Answer(0.5, "warming"), Stats("\udcff\nWATCHDOG=trigger.wav"))
    assert systemd.recv(4096) == "WATCHDOG=1\nSTATUS=listening …; ? WATCHDOG=trigger.wav\nREADY=1".encode()
    output.close()


def test_it_is_ready_with_the_first_sound_and_announces_its_end(systemd: socket.socket, melody: Path) -> None:
    assert listen({"NOTIFY_SOCKET": systemd.getsockname()}, str(melody)).returncode == 0
    first = systemd.recv(4096).decode().split("\n")
    assert {"READY=1", "WATCHDOG=1", f"STATUS=listening …; {melody}"} == set(first)
    systemd.settimeout(1)
    messages = [systemd.recv(4096)]
    while messages[-1] != b"STOPPING=1":
        messages.append(systemd.recv(4096))


def test_it_is_not_ready_while_no_audio_arrives(systemd: socket.socket) -> None:
    output = SystemdOutput(systemd.getsockname(), HOP_SECONDS)
    output.show(Answer(2.0, "lost", lost=2.0, note="unplugged"), Stats("mic"))
    assert systemd.recv(4096).decode() == "WATCHDOG=1\nSTATUS=NO SOUND ARRIVES; unplugged; mic"
    output.close()


def test_listening_continues_when_systemd_is_gone(melody: Path, tmp_path: Path) -> None:
    assert listen({"NOTIFY_SOCKET": str(tmp_path / "gone")}, str(melody)).returncode == 0


def test_a_hop_that_is_too_long_for_the_watchdog_is_refused(systemd: socket.socket, melody: Path) -> None:
    environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000000"}
    done = listen(environment, str(melody), "--hop", "20")
    assert done.returncode == 2
    assert "too long for systemd's WatchdogSec=30" in one_sentence(done)


@pytest.mark.parametrize(
    "environment",
    [
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},  # meant for another process
        {"WATCHDOG_USEC": "half a minute"},
        {"WATCHDOG_USEC": ""},
        {"WATCHDOG_USEC": "-1"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "9" * 400},
        {},
    ],
)
def test_without_a_watchdog_for_this_process_any_hop_is_allowed(
    systemd: socket.socket, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, {"NOTIFY_SOCKET": systemd.getsockname(), **environment})
    (output,) = make_outputs(Config(hop=20))
    output.close()


def test_a_watchdog_without_a_socket_to_notify_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, {"WATCHDOG_USEC": "30000000"})
    assert make_outputs(Config(hop=20)) == []


def test_a_watchdog_for_this_process_limits_the_hop(systemd: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    set_environment(monkeypatch, {"NOTIFY_SOCKET": systemd.getsockname(), **environment})
    with pytest.raises(UsageError, match="--hop 20: too long for systemd's WatchdogSec=30"):
        make_outputs(Config(hop=20))


def test_child_processes_do_not_inherit_the_socket(systemd: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, {"NOTIFY_SOCKET": systemd.getsockname()})
    (output,) = make_outputs(Config())
    assert "NOTIFY_SOCKET" not in os.environ
    output.close()


def test_constructing_the_output_leaves_the_environment_as_it_is(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000000"})
    before = dict(os.environ)
    SystemdOutput(systemd.getsockname(), HOP_SECONDS).close()
    assert dict(os.environ) == before


@pytest.mark.slow
def test_log_lines_have_priorities_if_the_journal_reads_them(melody: Path, tmp_path: Path) -> None:
    arguments = [str(melody), "--history", str(tmp_path / "no" / "such" / "folder")]
    assert listen({"JOURNAL_STREAM": "8:1"}, *arguments).stderr.startswith("<4>history ")
    assert listen({}, *arguments).stderr.startswith("warning: history ")


def test_the_unit_is_valid(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is missing: apt install systemd"
    unit = tmp_path / "edge-listen.service"
    unit.write_text(UNIT.read_text().replace("/opt/edge-listen/current/bin/edge-listen", sys.executable))
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
