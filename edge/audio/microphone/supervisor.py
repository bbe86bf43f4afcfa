"""The capture process from outside: started, read, and killed and started anew when it ends or goes quiet."""

import dataclasses
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from edge.audio.microphone.protocol import AUDIO, HEADER, OPENED, STARTED, Message, OpenedStream, OpenRequest
from edge.audio.microphone.worker import FIRST_PAUSE, LONGEST_PAUSE
from edge.audio.source import LOST_SECONDS

START_SECONDS = 30.0  # for the process to start: a small machine that has just booted reads it from a slow card
STUCK_SECONDS = 5.0  # without a word before the first sound; trying in vain to open a device says so every second
STEADY_SECONDS = 5.0  # of audio, after which an end is a new trouble and no part of an old one
SLOW = "the process that records doesn't start: is this machine overloaded?"
STUCK = "the sound system doesn't answer"
STOPPED = "the microphone has stopped delivering"
ENDED = "the recording has ended: was the microphone unplugged?"


class WorkerProcess:
    """A running `python -m edge.audio.microphone.worker`."""

    def __init__(self, wanted: OpenRequest) -> None:
        paths = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edge.audio.microphone.worker", json.dumps(dataclasses.asdict(wanted))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        # Filled in place: bytes of a new length with every read would fragment the heap, by megabytes a day.
        self._buffer = bytearray(HEADER.size)
        self._filled = 0
        self._wanted = HEADER.size  # bytes in it that make the message, as far as is known

    def receive(self, timeout: float) -> Message | None:
        """The next message, None after `timeout` seconds without any. Raise EOFError when the process has ended."""
        while not (message := self._complete()):
            if not select.select([self._pipe], [], [], timeout)[0]:
                return None
            with memoryview(self._buffer) as buffer:
                count = os.readv(self._pipe.fileno(), [buffer[self._filled : self._wanted]])
            if not count:
                raise EOFError
            self._filled += count
        return message

    def kill(self) -> None:
        """End it; nothing in it needs a goodbye."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()

    def _complete(self) -> Message | None:
        self._wanted = HEADER.size
        if self._filled < HEADER.size:
            return None
        kind, length, overruns, at = HEADER.unpack_from(self._buffer)
        self._wanted += length
        if len(self._buffer) < self._wanted:
            self._buffer.extend(bytes(length))
        if self._filled < self._wanted:
            return None
        self._filled = 0
        return Message(kind, bytes(self._buffer[HEADER.size : self._wanted]), overruns, at)


class CaptureSupervisor:
    """A capture process that is replaced, after a pause that grows, when it ends or says nothing for too long.

    `starts` counts them, `problem` says what was the matter, until sound has come for a while.
    """

    def __init__(self, wanted: OpenRequest) -> None:
        self.starts = 0
        self.problem: str | None = None
        self._wanted = wanted
        self._pause = FIRST_PAUSE
        self._process: WorkerProcess | None = None
        self._start_at = time.monotonic()
        self._flows_since: float | None = None
        self._word_at = 0.0  # when the last message came

    def receive(self, timeout: float) -> Message | None:
        """The next message, None after `timeout` seconds without any."""
        called = time.monotonic()
        if self._process is None:
            if (pause := self._start_at - called) > 0:
                time.sleep(min(pause, timeout))
                return None
            self._start()
        assert self._process is not None
        try:
            message = self._process.receive(timeout)
        except EOFError:
            self._end(ENDED)
            return None
        now = time.monotonic()
        # Were we stopped ourselves for a while, the process deserves its time again.
        if message or now - called > timeout + LOST_SECONDS:
            self._word_at = now
        elif now - self._word_at > self._patience:
            self._end(self._quiet)
        if message:
            self._heed(message, now)
        return None if message and message.kind == STARTED else message

    def close(self) -> None:
        """End the process, for good."""
        if self._process:
            self._process.kill()
            self._process = None

    def _start(self) -> None:
        self._process = WorkerProcess(self._wanted)
        self._word_at = time.monotonic()
        self._patience, self._quiet = START_SECONDS, SLOW  # how long it may say nothing, and what is the matter then
        self._flows_since = None
        self.starts += 1

    def _end(self, problem: str) -> None:
        self.close()
        self.problem = problem
        self._start_at = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _heed(self, message: Message, now: float) -> None:
        if message.kind == STARTED:
            self._patience, self._quiet = STUCK_SECONDS, STUCK
        elif message.kind == AUDIO:
            self._patience, self._quiet = LOST_SECONDS, STOPPED
            self._flows_since = self._flows_since or now
            if now - self._flows_since > STEADY_SECONDS:
                self._pause, self.problem = FIRST_PAUSE, None
        elif message.kind == OPENED:
            self._wanted = dataclasses.replace(self._wanted, device=OpenedStream(**json.loads(message.content)).lasting)
        else:
            self.problem = message.content.decode()
