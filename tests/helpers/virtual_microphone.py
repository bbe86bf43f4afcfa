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


class VirtualMicrophone:
    """A PulseAudio server of our own in `home`; `environment` leads a process there."""

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
        """Write ~/.asoundrc: all of these are the same microphone."""
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
        """Let who reaches 127.0.0.1 hear it, too."""
        words = ["auth-anonymous=1", "listen=127.0.0.1", f"port={port}"]
        done = self._pactl("load-module", "module-native-protocol-tcp", *words)
        assert done.returncode == 0, done.stderr

    @property
    def pid(self) -> int:
        """Of the server."""
        return self._server.pid

    def kill_server(self) -> None:
        """SIGKILL."""
        self._server.kill()
        self._server.wait()

    def signal_server(self, number: signal.Signals) -> None:
        """SIGSTOP and SIGCONT, say."""
        self._server.send_signal(number)

    def plug_in(self, rate: int = 48_000, channels: int = 1) -> None:
        """The device comes (back)."""
        done = self._pactl("load-module", "module-null-sink", "sink_name=ear", f"rate={rate}", f"channels={channels}")
        assert done.returncode == 0, done.stderr

    def unplug(self) -> None:
        """The device goes away, under the streams that are open on it."""
        done = self._pactl("unload-module", "module-null-sink")
        assert done.returncode == 0, done.stderr

    @contextlib.contextmanager
    def playing(self, path: Path) -> Iterator[None]:
        """Play an audio file to the microphone."""
        with subprocess.Popen(["paplay", "-d", "ear", str(path)], env=self.environment) as player:
            yield
            player.terminate()

    def close(self) -> None:
        """End the server, even a stopped one."""
        self.kill_server()

    def _pactl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["pactl", *words], env=self.environment, capture_output=True, text=True, check=False)


class ListenProcess:
    """A running `edge-listen --json`, with the time at which each line came."""

    def __init__(self, environment: dict[str, str], *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge.cli.listen", "--json", *words],
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

    def until(self, wanted: Callable[[dict[str, Any]], object], seconds: float = 30.0) -> tuple[float, dict[str, Any]]:
        """The first new line that is as wanted, and when it came (time.monotonic)."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.seen.append(self._lines.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"not seen in {seconds} s; last {self.seen[-3:]}, log {self.log}") from None
            if wanted(self.seen[-1][1]):
                return self.seen[-1]

    def children(self) -> list[int]:
        """Processes that it has started: the one that captures."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status; all that it has said is in `seen` and `log` then."""
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


def is_sound(line: dict[str, Any]) -> bool:
    """Whether audio was heard for it."""
    return line["state"] != "lost"


def is_lost(line: dict[str, Any]) -> bool:
    """The opposite."""
    return line["state"] == "lost"
