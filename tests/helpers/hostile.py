"""Fuzzing: injured bytes, and a child process in which what is done with them can do no harm."""

import functools
import multiprocessing
import os
import resource
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from edge.errors import EdgeError

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", 100))
fuzz = functools.partial(
    settings,
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MOST_MEMORY = 256 << 20  # bytes that a case may add; a Raspberry Pi may have 512 MiB
LONGEST = 300  # seconds of a case, on an emulated machine under load


class Child:
    """A forked process that does `work` on what it is given: a crash, a hang and gigabytes become failed assertions.

    A case ends in words, or in an EdgeError of one sentence.
    """

    def __init__(self, work: Callable[..., str], memory: int = MOST_MEMORY) -> None:
        self._work = work
        self._memory = memory
        self._process: Any = None

    def __call__(self, *case: Any) -> str:
        if self._process is None:
            fork = multiprocessing.get_context("fork")
            self._pipe, theirs = fork.Pipe()
            self._process = fork.Process(target=self._serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        self._pipe.send(case)
        try:
            ended = self._pipe.poll(LONGEST)
            said = self._pipe.recv() if ended else f"Traceback: none, it took more than {LONGEST} s"
        except EOFError:
            self._process.join()
            said = f"Traceback: none, native code ended the process: {self._process.exitcode}"
            ended = False
        if not ended:
            self.close()
        assert "Traceback" not in said, said
        assert "\n" not in said
        return said

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _serve(self, pipe: Any) -> None:
        data = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (data + self._memory, resource.RLIM_INFINITY))
        warnings.simplefilter("error", RuntimeWarning)  # numpy says on standard error that numbers become NaN
        while True:
            case = pipe.recv()
            try:
                said = self._work(*case)
            except EdgeError as error:
                said = f"error: {error}"
            except Exception:
                said = traceback.format_exc()
            pipe.send(said)


@st.composite
def damaged(draw: st.DrawFn, content: bytes, ends: int) -> bytes:
    """One to three injuries anywhere, and as often in the first or last `ends` bytes, where the structure is."""
    out = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        last = max(len(out) - 1, 0)
        start = draw(st.integers(0, last) | st.integers(0, min(ends, last)) | st.integers(max(0, last - ends), last))
        end = start + draw(st.just(1) | st.integers(1, 8) | st.integers(1, len(out) + 1))
        injury = draw(st.sampled_from(["flip", "cut", "insert", "remove", "repeat", "zero", "extreme", "append"]))
        if injury == "flip" and out:
            out[start] ^= draw(st.sampled_from([1, 2, 4, 8, 16]) | st.integers(1, 255))
        elif injury == "cut":
            del out[start:]
        elif injury == "insert":
            out[start:start] = draw(st.binary(min_size=1, max_size=40))
        elif injury == "remove":
            del out[start:end]
        elif injury == "repeat":
            out[start:start] = out[start:end]
        elif injury == "zero":
            out[start:end] = bytes(len(out[start:end]))
        elif injury == "extreme":
            extreme = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**64 - 1]))
            width = draw(st.sampled_from([1, 2, 4, 8]))
            order = draw(st.sampled_from(["little", "big"]))
            out[start : start + width] = (extreme % (1 << 8 * width)).to_bytes(width, order)
        else:
            out += draw(st.binary(min_size=1, max_size=40))
    return bytes(out)
