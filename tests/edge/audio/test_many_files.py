"""Live sources in a server that has more than 1024 files open, where select() fails."""

import os
import resource
from collections.abc import Iterator

import numpy as np
import pytest
from helpers.capture import first_message

from edge.audio.microphone.protocol import STARTED
from edge.audio.pcm import PcmSource

OPEN_FILES = 1024


@pytest.fixture(autouse=True)
def open_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * OPEN_FILES), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(OPEN_FILES)]
    yield
    for file in files:
        os.close(file)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_pipe_is_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, np.array([2**14], "<i2").tobytes())
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as stream:
        assert np.concatenate(list(PcmSource(stream, 48_000, 1).blocks())).tolist() == [[0.5]]


def test_the_capture_process_is_read() -> None:
    message = first_message()
    assert message is not None
    assert message.kind == STARTED
