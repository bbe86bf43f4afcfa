"""Supervision of the capture worker: it is started, read, and replaced when it ends or sends nothing for too long."""

import dataclasses
import os
import subprocess
import time

from edge.audio.microphone.protocol import (
    ABSENT,
    AUDIO,
    FAILED,
    FIRST_PAUSE,
    HEADER,
    MAX_PAUSE,
    OPENED,
    STARTED,
    Message,
    OpenedStream,
    OpenRequest,
    Problem,
    decode,
    encode,
)
from edge.audio.pipe import PipePoll
from edge.audio.source import LOST_SECONDS
from edge.backoff import Backoff
from edge.python_module import module_command, module_environment

START_SECONDS = 30.0  # for the worker to start: a small machine that has just booted reads it from a slow card
STUCK_SECONDS = (
    5.0  # without a message before the first audio; a worker that can't open a device reports it every second
)
STEADY_SECONDS = 5.0  # of audio, after which the next problem is a new one
SLOW = "the capture process does not start; is this machine overloaded?"
STUCK = "the sound system does not answer"
STOPPED = "the microphone stopped delivering audio"
ENDED = "the recording ended; was the microphone unplugged?"


class WorkerProcess:
    """A running `python -m edge.audio.microphone.worker`."""

    def __init__(self, request: OpenRequest) -> None:
        self._process = subprocess.Popen(
            module_command("edge.audio.microphone.worker", encode(request)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # ALSA's plugins print there; problems arrive as messages
            env=module_environment(),
        )
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        self._poll = PipePoll(self._pipe)
        # Filled in place: bytes of another length with each read would fragment the heap, by megabytes a day.
        self._buffer = bytearray(HEADER.size)
        self._filled = 0
        self._expected = HEADER.size  # bytes of the message, as far as they are known

    def receive(self, timeout: float) -> Message | None:
        """The next message, None after `timeout` seconds without data. Raise EOFError when the process has ended."""
        while not (message := self._complete_message()):
            if not self._poll.wait(timeout):
                return None
            with memoryview(self._buffer) as buffer:
                count = os.readv(self._pipe.fileno(), [buffer[self._filled : self._expected]])
            if not count:
                raise EOFError
            self._filled += count
        return message

    def kill(self) -> None:
        """End the process; it has nothing to clean up."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()

    def _complete_message(self) -> Message | None:
        self._expected = HEADER.size
        if self._filled < HEADER.size:
            return None
        kind, length, overruns, at = HEADER.unpack_from(self._buffer)
        self._expected += length
        if len(self._buffer) < self._expected:
            self._buffer.extend(bytes(length))
        if self._filled < self._expected:
            return None
        self._filled = 0
        return Message(kind, bytes(self._buffer[HEADER.size : self._expected]), overruns, at)


class CaptureSupervisor:
    """A capture worker that is replaced, after a growing pause, when it ends or sends nothing for too long.

    Attributes
    ----------
    starts : int
        Number of workers started.
    problem : Problem or None
        Latest reason why no audio arrived, until audio has arrived for `STEADY_SECONDS`.
    """

    def __init__(self, request: OpenRequest) -> None:
        """The first worker starts with the first call of `receive`."""
        self.starts = 0
        self.problem: Problem | None = None
        self._request = request
        self._backoff = Backoff(FIRST_PAUSE, MAX_PAUSE)
        self._process: WorkerProcess | None = None
        self._start_at = time.monotonic()
        self._closed = False
        self._reported: Problem | None = None  # by the running worker, which has not opened the device since
        self._audio_since: float | None = None
        self._message_at = 0.0  # arrival of the last message
        self._patience, self._quiet_problem = START_SECONDS, SLOW  # allowed seconds without a message, then the problem

    def receive(self, timeout: float) -> Message | None:
        """The next message, None after `timeout` seconds without one. Raise EOFError after `close`."""
        if self._closed:
            raise EOFError
        called = time.monotonic()
        if self._process is None:
            if (pause := self._start_at - called) > 0:
                time.sleep(min(pause, timeout))
                return None
            self._process = self._start()
        try:
            message = self._process.receive(timeout)
        except EOFError:
            # The worker's own reason says more than its end does.
            self._end(self._reported or Problem(ENDED, ENDED))
            return None
        now = time.monotonic()
        # If this process was stopped for a while itself, the worker gets its full time again.
        if message or now - called > timeout + LOST_SECONDS:
            self._message_at = now
        elif now - self._message_at > self._patience:
            self._end(Problem(self._quiet_problem, self._quiet_problem))
        if message:
            self._update(message, now)
        return None if message and message.kind == STARTED else message

    def close(self) -> None:
        """End the worker for good."""
        self._closed = True
        self._kill()

    def _start(self) -> WorkerProcess:
        process = WorkerProcess(self._request)
        self._message_at = time.monotonic()
        self._patience, self._quiet_problem = START_SECONDS, SLOW
        self._reported = None
        self._audio_since = None
        self.starts += 1
        return process

    def _end(self, problem: Problem) -> None:
        self._kill()
        self.problem = problem
        self._start_at = time.monotonic() + self._backoff.next()

    def _kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process = None

    def _update(self, message: Message, now: float) -> None:
        if message.kind == STARTED:
            self._patience, self._quiet_problem = STUCK_SECONDS, STUCK
        elif message.kind == AUDIO:
            self._patience, self._quiet_problem = LOST_SECONDS, STOPPED
            self._audio_since = self._audio_since or now
            if now - self._audio_since > STEADY_SECONDS:
                self._backoff.reset()
                self.problem = None
        elif message.kind == OPENED:
            self._reported = None
            name = decode(OpenedStream, message.content).lasting_name
            self._request = dataclasses.replace(self._request, device=name)
        elif message.kind in (ABSENT, FAILED):
            self._reported = self.problem = decode(Problem, message.content)
