"""The worker ends with the process that started it, or when the microphone is closed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.support import wait_for
from helpers.virtual_microphone import (
    ListenProcess,
    StartListener,
    VirtualMicrophone,
    is_lost,
    is_sound,
    workers_of,
)

from edge.audio.microphone.microphone import Microphone
from edge.errors import EdgeError

pytestmark = pytest.mark.microphone


END_SECONDS = 5.0  # for a worker to end


def wait_for_end(process: int) -> None:
    wait_for(lambda: not Path(f"/proc/{process}").exists(), END_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_listener_and_its_worker(start_listener: StartListener, number: signal.Signals) -> None:
    listener = start_listener("--device", "mic")
    listener.until(is_sound)
    (worker,) = listener.workers()
    assert listener.end(number) == 0
    assert not any("Traceback" in line or "error" in line for line in listener.log)
    wait_for_end(worker)


def test_sigterm_ends_the_wait_for_a_microphone(start_listener: StartListener) -> None:
    listener = start_listener("--device", "no such microphone", "--wait")
    listener.until(is_lost)
    assert listener.end() == 0


def test_the_worker_of_a_killed_listener_ends(listener: ListenProcess) -> None:
    (worker,) = listener.workers()
    listener.end(signal.SIGKILL)
    wait_for_end(worker)


def test_the_worker_of_a_killed_listener_ends_while_no_audio_arrives(
    server: VirtualMicrophone, listener: ListenProcess
) -> None:
    (worker,) = listener.workers()
    with server.stopped():
        listener.process.kill()
        wait_for_end(worker)


def test_the_worker_of_a_killed_listener_ends_while_the_sound_system_hangs(
    server: VirtualMicrophone, listener: ListenProcess
) -> None:
    """The worker that tries to open the device again waits for an answer."""
    (first,) = listener.workers()
    with server.stopped():
        listener.until(is_lost)
        wait_for(lambda: listener.workers() not in ([], [first]))
        (worker,) = listener.workers()
        listener.process.kill()
        wait_for_end(worker)


@pytest.fixture
def open_microphone(server: VirtualMicrophone, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Microphone]:
    """Opens the virtual microphone in this process."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return Microphone


def test_closing_a_microphone_that_was_not_read_ends_its_worker(open_microphone: Callable[..., Microphone]) -> None:
    microphone = open_microphone("mic")
    assert len(workers_of(os.getpid())) == 1
    microphone.close()
    assert workers_of(os.getpid()) == []


def test_closing_a_microphone_while_it_is_read_ends_its_worker_and_its_blocks(
    open_microphone: Callable[..., Microphone],
) -> None:
    microphone = open_microphone("mic")
    blocks = microphone.blocks()
    next(blocks)
    microphone.close()
    assert workers_of(os.getpid()) == []
    assert next(blocks, None) is None
    assert workers_of(os.getpid()) == []


def test_a_microphone_may_be_closed_twice(open_microphone: Callable[..., Microphone]) -> None:
    microphone = open_microphone("mic")
    microphone.close()
    microphone.close()


def test_the_end_of_a_with_statement_ends_the_worker(open_microphone: Callable[..., Microphone]) -> None:
    with open_microphone("mic") as microphone:
        next(microphone.blocks())
    assert workers_of(os.getpid()) == []


def test_a_microphone_that_cannot_be_opened_leaves_no_worker(open_microphone: Callable[..., Microphone]) -> None:
    with pytest.raises(EdgeError, match="no device matches"):
        open_microphone("no such microphone")
    assert workers_of(os.getpid()) == []
