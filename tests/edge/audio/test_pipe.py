"""Waiting for data in a pipe."""

import os
import signal
import subprocess
import sys
import time

import pytest

from edge.audio.pipe import PipePoll

WAIT = (
    "import sys; from edge.audio.pipe import PipePoll; print('waits', flush=True); print(PipePoll(sys.stdin).wait(1.0))"
)


def test_data_and_the_end_of_the_pipe_end_the_wait() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        poll = PipePoll(pipe)
        os.write(writing, b"x")
        assert poll.wait(10)
        pipe.read(1)
        os.close(writing)
        assert poll.wait(10)


def test_a_pipe_without_data_ends_the_wait_in_time() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        began = time.monotonic()
        assert not PipePoll(pipe).wait(0.2)
        assert 0.2 <= time.monotonic() - began < 0.6
    os.close(writing)


@pytest.mark.slow
def test_the_time_in_which_the_reader_was_stopped_does_not_count() -> None:
    reader = subprocess.Popen([sys.executable, "-c", WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdin
    assert reader.stdout
    reader.stdout.readline()
    time.sleep(0.2)
    reader.send_signal(signal.SIGSTOP)
    time.sleep(3)
    reader.send_signal(signal.SIGCONT)
    time.sleep(0.3)  # the writer, which was stopped too, goes on a little later
    reader.stdin.write(b"x")
    reader.stdin.flush()
    assert reader.communicate()[0] == b"True\n"
