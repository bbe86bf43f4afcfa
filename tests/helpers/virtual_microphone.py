"""A microphone without hardware: PulseAudio's null sink, whose monitor ALSA and PortAudio list as `mic`."""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from helpers.support import heed_sigint, wait_for

ASOUNDRC = """
pcm.{name} {{
    type pulse
    device ear.monitor
    hint {{ show on  description "virtual microphone" }}
}}
"""
PROGRAMS = ("pulseaudio", "pactl", "paplay")
WORKER = "edge.audio.microphone.worker"


class VirtualMicrophone:
    """A PulseAudio server with its files in `home`; a process with this `environment` uses it."""

    def __init__(self, home: Path) -> None:
        for program in PROGRAMS:
            assert shutil.which(program), f"{program} is missing: apt install pulseaudio libasound2-plugins"
        runtime = home / "run"
        runtime.mkdir(mode=0o700)
        self._home = home
        self.environment = {
            **os.environ,
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "PULSE_RUNTIME_PATH": str(runtime),
        }
        self.name_devices("mic")
        self.start_server()
        self.plug_in()

    def name_devices(self, *names: str) -> None:
        """Write ~/.asoundrc with these names for the one microphone."""
        self.configure("".join(ASOUNDRC.format(name=name) for name in names))

    def configure(self, alsa: str) -> None:
        """Write ~/.asoundrc."""
        (self._home / ".asoundrc").write_text(alsa)

    def start_server(self) -> None:
        """Start PulseAudio, and wait until it answers."""
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "-L", "module-native-protocol-unix"]
        self._server = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        wait_for(lambda: self._pactl("info").returncode == 0)

    def listen_on(self, port: int) -> None:
        """Accept connections on 127.0.0.1, too."""
        options = ["auth-anonymous=1", "listen=127.0.0.1", f"port={port}"]
        done = self._pactl("load-module", "module-native-protocol-tcp", *options)
        assert done.returncode == 0, done.stderr

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._server.pid

    def kill_server(self) -> None:
        """End the server with SIGKILL, which works on a stopped one, too."""
        self._server.kill()
        self._server.wait()

    def signal_server(self, number: signal.Signals) -> None:
        """Send a signal to the server, such as SIGSTOP or SIGCONT."""
        self._server.send_signal(number)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Let the server hang for a while."""
        self.signal_server(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal_server(signal.SIGCONT)

    def plug_in(self, rate: int = 48_000, channels: int = 1) -> None:
        """Add the device (again)."""
        done = self._pactl("load-module", "module-null-sink", "sink_name=ear", f"rate={rate}", f"channels={channels}")
        assert done.returncode == 0, done.stderr

    def unplug(self) -> None:
        """Remove the device, under the streams that are open on it."""
        done = self._pactl("unload-module", "module-null-sink")
        assert done.returncode == 0, done.stderr

    @contextlib.contextmanager
    def playing(self, path: Path) -> Iterator[None]:
        """Play an audio file to the microphone."""
        with subprocess.Popen(["paplay", "-d", "ear", str(path)], env=self.environment) as player:
            yield
            player.terminate()

    def listen(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `edge-listen` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "edge.cli.listen", *arguments],
            env={**self.environment, **environment},
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def _pactl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["pactl", *arguments], env=self.environment, capture_output=True, text=True, check=False)


class ListenProcess:
    """A running `edge-listen --json`, with the time at which each line came."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge.cli.listen", "--json", *arguments],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=heed_sigint,
        )
        self._lines: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()
        self.seen: list[tuple[float, dict[str, Any]]] = []
        self.log: list[str] = []
        self._threads = [threading.Thread(target=self._read), threading.Thread(target=self._read_log)]
        for thread in self._threads:
            thread.start()

    def until(self, matches: Callable[[dict[str, Any]], object], seconds: float = 30.0) -> tuple[float, dict[str, Any]]:
        """The first new line that matches, and when it came (time.monotonic)."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.seen.append(self._lines.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"not seen in {seconds} s; last {self.seen[-3:]}, log {self.log}") from None
            if matches(self.seen[-1][1]):
                return self.seen[-1]

    def workers(self) -> list[int]:
        """Process ids of its capture workers."""
        return workers_of(self.process.pid)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal; returns the exit status. `seen` and `log` are complete then."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=20)
        for thread in self._threads:
            thread.join()
        while not self._lines.empty():
            self.seen.append(self._lines.get())
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put((time.monotonic(), json.loads(line)))

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)


def workers_of(pid: int) -> list[int]:
    """Process ids of the capture workers that a process has started."""
    workers = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (thread / "children").read_text().split()):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                if WORKER.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                    workers.append(child)
    return workers


StartListener = Callable[..., ListenProcess]


def is_sound(line: dict[str, Any]) -> bool:
    """True if audio was heard."""
    return line["state"] != "lost"


def is_lost(line: dict[str, Any]) -> bool:
    """True if no audio arrived."""
    return line["state"] == "lost"
