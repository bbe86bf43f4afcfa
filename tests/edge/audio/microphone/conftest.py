"""Fixtures of the microphone's tests: a Raspberry Pi's sound cards, and processes that listen."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.sound_cards import MACHINE, plug
from helpers.virtual_microphone import ListenProcess, StartListener, VirtualMicrophone


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the /proc of a machine with five cards, as `/`."""
    return plug(tmp_path, MACHINE)


@pytest.fixture
def start_listener(server: VirtualMicrophone) -> Iterator[StartListener]:
    """Starts `edge-listen --json` with arguments and environment variables; it is killed after the test."""
    started = []

    def start(*arguments: str, **environment: str) -> ListenProcess:
        started.append(ListenProcess({**server.environment, **environment}, *arguments))
        return started[-1]

    yield start
    for listener in started:
        listener.end(signal.SIGKILL)
