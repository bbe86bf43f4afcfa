import contextlib
import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from edge.audio import pcm
from edge.audio.pcm import PcmSource
from edge.audio.source import Gap


@contextlib.contextmanager
def pipe(rate: int = 48_000, channels: int = 1, bits: int = 16) -> Iterator[tuple[PcmSource, int]]:
    """A source that reads from a pipe, and the descriptor that writes to it."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as stream:
        yield PcmSource(stream, rate, channels, bits), writer


def test_any_division_of_the_bytes_gives_the_same_samples() -> None:
    samples = np.arange(-1000, 1000, dtype="<i2")
    content = samples.tobytes()
    with pipe(channels=2) as (source, writer):

        def feed() -> None:
            for part in (content[:1], content[1:7], content[7:1002], content[1002:]):
                os.write(writer, part)
            os.close(writer)

        thread = threading.Thread(target=feed)
        thread.start()
        blocks = list(source.blocks())
        thread.join()
    assert np.array_equal(np.concatenate(blocks), samples.reshape(-1, 2) / np.float32(32768))


def test_32_bit_samples_have_the_same_level_as_16_bit_ones() -> None:
    with pipe(bits=32) as (source, writer):
        os.write(writer, np.array([2**30, -(2**31)], "<i4").tobytes())
        os.close(writer)
        assert np.concatenate(list(source.blocks())).tolist() == [[0.5], [-1.0]]


def test_a_pipe_without_data_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcm, "LOST_SECONDS", 0.05)
    with pipe() as (source, writer):
        blocks = source.blocks()
        assert next(blocks) == Gap(0.05, "no data arrives through the pipe")
        os.write(writer, b"\0\x40")
        assert next(blocks) == [[0.5]]
        os.close(writer)
        assert list(blocks) == []


def test_nothing_has_arrived_before_the_first_block() -> None:
    with pipe() as (source, writer):
        assert source.arrived is None
        os.write(writer, b"\0\x40")
        next(source.blocks())
        assert source.arrived is not None
        os.close(writer)


def test_close_leaves_the_stream_to_its_owner_and_may_be_called_twice() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as stream:
        with PcmSource(stream, 48_000, 1) as source:
            os.write(writer, b"\0\x40")
            next(source.blocks())
        source.close()
        os.write(writer, b"\1\2")
        assert stream.read(2) == b"\1\2"
    os.close(writer)
