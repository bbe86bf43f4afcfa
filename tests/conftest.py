"""Fixtures of all tests: the commands as a user runs them, and something to hear."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from hypothesis import settings
from helpers.support import Run, synthesise
from helpers.virtual_microphone import ListenProcess, VirtualMicrophone, is_sound

settings.register_profile("no deadline", deadline=None)  # how long an example takes says more of the machine than of us
settings.load_profile("no deadline")


@pytest.fixture
def run() -> Run:
    """Run a module of this project as a command of its own; returns the finished process."""

    def run(*words: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)

    return run


@pytest.fixture
def melody(tmp_path: Path) -> Path:
    """Eight seconds of a plucked melody, 48 kHz, stereo."""
    path = tmp_path / "melody.wav"
    soundfile.write(path, synthesise(8.0, 48_000, 2), 48_000)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualMicrophone]:
    """One PulseAudio for all tests of a file; each leaves it as it was."""
    microphone = VirtualMicrophone(tmp_path_factory.mktemp("home"))
    yield microphone
    microphone.close()


@pytest.fixture
def listener(server: VirtualMicrophone) -> Iterator[ListenProcess]:
    """edge-listen, which already hears."""
    listener = ListenProcess(server.environment, "--device", "mic")
    listener.until(is_sound)
    yield listener
    listener.end(signal.SIGKILL)
