"""Fuzzing: damaged bytes, and a child process that contains the consequences."""

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

EXAMPLES = int(os.environ["FUZZ_EXAMPLES"])  # of each test; tests/conftest.py has the default
fuzz = functools.partial(
    settings,
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MAX_MEMORY = 256 << 20  # bytes that one case may add; a Raspberry Pi may have 512 MiB
MAX_SECONDS = 300  # of one case, on an emulated machine under load


class Child:
    """A forked process that runs `work` on each case: a crash, a hang or too much memory is a failed assertion.

    A case returns a text or raises an EdgeError of one sentence, which is returned as "error: …".
    """

    def __init__(self, work: Callable[..., str], memory: int = MAX_MEMORY) -> None:
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
            ended = self._pipe.poll(MAX_SECONDS)
            result = self._pipe.recv() if ended else f"Traceback: none, it took more than {MAX_SECONDS} s"
        except EOFError:
            self._process.join()
            result = f"Traceback: none, native code ended the process: {self._process.exitcode}"
            ended = False
        if not ended:
            self.close()
        assert "Traceback" not in result, result
        assert "\n" not in result
        return result

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _serve(self, pipe: Any) -> None:
        data = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (data + self._memory, resource.RLIM_INFINITY))
        warnings.simplefilter("error", RuntimeWarning)  # numpy warns when numbers become NaN
        while True:
            case = pipe.recv()
            try:
                result = self._work(*case)
            except EdgeError as error:
                result = f"error: {error}"
            except Exception:
                result = traceback.format_exc()
            pipe.send(result)


@st.composite
def damaged(draw: st.DrawFn, content: bytes, ends: int) -> bytes:
    """One to three damages anywhere, and as often in the first or last `ends` bytes, where the structure is."""
    out = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        last = max(len(out) - 1, 0)
        start = draw(st.integers(0, last) | st.integers(0, min(ends, last)) | st.integers(max(0, last - ends), last))
        end = start + draw(st.just(1) | st.integers(1, 8) | st.integers(1, len(out) + 1))
        damage = draw(st.sampled_from(["flip", "cut", "insert", "remove", "repeat", "zero", "extreme", "append"]))
        if damage == "flip" and out:
            out[start] ^= draw(st.sampled_from([1, 2, 4, 8, 16]) | st.integers(1, 255))
        elif damage == "cut":
            del out[start:]
        elif damage == "insert":
            out[start:start] = draw(st.binary(min_size=1, max_size=40))
        elif damage == "remove":
            del out[start:end]
        elif damage == "repeat":
            out[start:start] = out[start:end]
        elif damage == "zero":
            out[start:end] = bytes(len(out[start:end]))
        elif damage == "extreme":
            extreme = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**64 - 1]))
            width = draw(st.sampled_from([1, 2, 4, 8]))
            order = draw(st.sampled_from(["little", "big"]))
            out[start : start + width] = (extreme % (1 << 8 * width)).to_bytes(width, order)
        else:
            out += draw(st.binary(min_size=1, max_size=40))
    return bytes(out)
