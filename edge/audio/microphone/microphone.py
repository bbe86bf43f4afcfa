"""The microphone as an audio source: blocks from the capture worker, and the gaps between them."""

import logging
import time
from collections.abc import Iterator

import numpy as np

from edge.arrays import FloatArray
from edge.audio.microphone.dropouts import DropoutClock
from edge.audio.microphone.protocol import (
    ABSENT,
    AUDIO,
    FAILED,
    MAX_BLOCK_SECONDS,
    OPENED,
    Message,
    OpenedStream,
    OpenRequest,
    Problem,
    decode,
)
from edge.audio.microphone.supervisor import STOPPED, STUCK_SECONDS, CaptureSupervisor
from edge.audio.source import LOST_SECONDS, AudioSource, Gap
from edge.backoff import Backoff
from edge.errors import EdgeError
from edge.stats import Stats

INITIAL_RATE = 48_000  # Hz, until a device is open
POLL_SECONDS = 0.25
GAP_SECONDS = 0.5  # between two gaps while no audio arrives
FIRST_LOG_PAUSE, MAX_LOG_PAUSE = 30.0, 3600.0  # seconds between two log lines about the same problem
MAX_REASONS = 8  # of one loss that are logged at once, should they keep changing
MAX_STARTS = 2  # of the worker, after which opening the first device is given up
DROPPED = "audio was dropped: this machine is too slow or was busy"

log = logging.getLogger("edge")


class Microphone(AudioSource):
    """A device that may go away and come back, at another index and another rate.

    A process of its own captures the audio, so that a sound system that hangs or crashes can't stop the caller. While
    no audio arrives, `blocks` yields gaps with the reason, and the device is looked for.
    """

    def __init__(
        self,
        device: str | None,
        channel: int | None = None,
        wait: bool = False,
        hop_seconds: float = MAX_BLOCK_SECONDS,
    ) -> None:
        """Open a device.

        Parameters
        ----------
        device
            Its index, address, card or name, as in `edge-listen --device`; None for the default device.
        channel
            The channel to use, from 1; None for all (at most two).
        wait
            Return, and yield gaps, if the device is not there yet.
        hop_seconds
            Blocks are at most this long.

        Raises
        ------
        EdgeError
            If the device can't be opened, or `device` means several.
        """
        super().__init__(INITIAL_RATE, Stats())
        self._channel = channel
        self._channels = 1
        self._clock: DropoutClock | None = None  # from the first block or gap on
        self._lost_since: float | None = None
        self._reason: str | None = None  # of the latest loss
        self._reopened = False  # and no block has come since
        self._ended_overruns = 0  # of the workers before this one
        self._logged: set[str] = set()  # reasons of this loss
        self._log_at = 0.0  # when a reason that was logged may be logged again
        self._log_backoff = Backoff(FIRST_LOG_PAUSE, MAX_LOG_PAUSE)
        self._capture = CaptureSupervisor(OpenRequest(device, channel, min(hop_seconds, MAX_BLOCK_SECONDS)))
        try:
            self._open(wait)
        except BaseException:
            self._capture.close()
            raise
        self._start = time.monotonic()
        # When to yield the first gap; the first sound of a device may take a while.
        self._gap_at = self._start + (STUCK_SECONDS if self.stats.device else LOST_SECONDS)

    def blocks(self) -> Iterator[FloatArray | Gap]:
        """Blocks of (n, channels) samples as they arrive, and the gaps between them, until the source is closed."""
        try:
            while True:
                message = self._capture.receive(POLL_SECONDS)
                if message and message.kind == AUDIO:
                    yield from self._audio(message)
                    continue
                if message and message.kind == OPENED:
                    self._set_stream(decode(OpenedStream, message.content))
                    self._reopened = True
                if (now := time.monotonic()) >= self._gap_at:
                    yield self._gap(now)
        except EOFError:
            return
        finally:
            self._capture.close()

    def close(self) -> None:
        """End the worker and release the device; a second call does nothing."""
        self._capture.close()

    def _open(self, wait: bool) -> None:
        """Wait until the worker reports a stream or a problem."""
        while True:
            message = self._capture.receive(POLL_SECONDS)
            if message is None:
                if self._capture.starts > MAX_STARTS and self._capture.problem:
                    raise EdgeError(f"can't record: {self._capture.problem.message}")
            elif message.kind == FAILED or (message.kind == ABSENT and not wait):
                raise EdgeError(decode(Problem, message.content).message)
            else:
                if message.kind == OPENED:
                    self._set_stream(decode(OpenedStream, message.content))
                return

    def _set_stream(self, stream: OpenedStream) -> None:
        self.rate, self._channels = stream.rate, stream.channels
        self.stats.device = f"{stream.device}, {stream.rate} Hz"
        self._ended_overruns = self.stats.overruns

    def _audio(self, message: Message) -> Iterator[FloatArray | Gap]:
        # A device that delivers floats could deliver NaN, which would stay in a model's state.
        block = np.nan_to_num(np.frombuffer(message.content, np.float32)).reshape(-1, self._channels)
        seconds = len(block) / self.rate
        self._clock = self._clock or DropoutClock(message.time - seconds)
        lost = self._clock.skip_to(message.time - seconds) if self._reopened else 0.0
        lost += self._clock.add_block(message.time, seconds, self._count_overruns(message.overruns))
        if self._reopened or self._lost_since is not None:
            self._recover(message.time, lost)
            yield Gap(lost, self._reason)
        elif lost:
            self._warn(DROPPED, f"{lost:.2f} s of {DROPPED}")
            yield Gap(lost, DROPPED)
        elif message.time > self._log_at:
            self._log_backoff.reset()
        self.arrived = message.time
        self._gap_at = time.monotonic() + LOST_SECONDS
        yield block if self._channel is None else block[:, self._channel - 1 : self._channel]

    def _gap(self, now: float) -> Gap:
        """The time since the last block or gap, which is lost."""
        self._clock = self._clock or DropoutClock(self._start)
        self._lost_since = self._lost_since or now - LOST_SECONDS
        self._gap_at = now + GAP_SECONDS
        self._reason = self._current_reason()
        self._warn(self._reason, f"no sound arrives: {self._reason}")
        return Gap(self._clock.skip_to(now), self._reason)

    def _recover(self, at: float, lost: float) -> None:
        """Count and log that audio arrives again."""
        if self._lost_since is None:
            self._reason = self._current_reason()
            log.warning("%.1f s were lost: %s", lost, self._reason)
        else:
            log.info("sound arrives after %.1f s: %s", at - self._lost_since, self.stats.device)
        self.stats.reconnects += self._reopened
        self._reopened, self._lost_since, self._log_at = False, None, 0.0
        self._logged.clear()

    def _current_reason(self) -> str:
        return self._capture.problem.sentence if self._capture.problem else STOPPED

    def _count_overruns(self, overruns: int) -> bool:
        """Update the count from that of this worker; True if it has grown."""
        before, self.stats.overruns = self.stats.overruns, self._ended_overruns + overruns
        return self.stats.overruns > before

    def _warn(self, reason: str, sentence: str) -> None:
        """Log a reason when it is new, then again after pauses that grow."""
        now = time.monotonic()
        if now < self._log_at and (reason in self._logged or len(self._logged) >= MAX_REASONS):
            return
        if now >= self._log_at:
            self._log_at = now + self._log_backoff.next()
        self._logged.add(reason)
        log.warning(sentence)
