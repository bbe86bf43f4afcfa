"""The live source: what the capture process delivers, as blocks and as the gaps between them."""

import json
import logging
import time
from collections.abc import Iterator

import numpy as np

from edge.arrays import FloatArray
from edge.audio.microphone.dropouts import DropoutClock
from edge.audio.microphone.protocol import ABSENT, AUDIO, FAILED, OPENED, Message, OpenedStream, OpenRequest
from edge.audio.microphone.supervisor import STOPPED, STUCK_SECONDS, CaptureSupervisor
from edge.audio.microphone.worker import LONGEST_BLOCK, USUAL_RATES
from edge.audio.source import LOST_SECONDS, AudioSource, Gap
from edge.errors import EdgeError
from edge.stats import Stats

POLL_SECONDS = 0.25
GAP_SECONDS = 0.5  # between two words about time that passes unheard
FIRST_AGAIN_SECONDS, LONGEST_AGAIN_SECONDS = 30.0, 3600.0  # between two lines of the log about the same trouble
MOST_STARTS = 2  # of the capture process, before a first device is given up
DROPPED = "audio was dropped: this machine is too slow or was busy"

log = logging.getLogger("edge")


class Microphone(AudioSource):
    """A device that may go away and come back, at another index and another rate.

    `rate` is in Hz; before there was a device, a usual one.
    """

    def __init__(
        self, device: str | None, channel: int | None = None, wait: bool = False, hop_seconds: float = LONGEST_BLOCK
    ) -> None:
        """Open what `find_device` finds, or with `wait` go on looking for it. Raise EdgeError when it can't be."""
        super().__init__(USUAL_RATES[0], Stats())
        self._channel = channel
        self._channels = 1
        self._ledger: DropoutClock | None = None  # from the first block or gap on
        self._lost_since: float | None = None
        self._why: str | None = None  # it was lost
        self._reopened = False  # and no block has come since
        self._ended_overruns = 0  # of the capture processes before this one
        self._log_at = 0.0  # when the next line may come
        self._log_pause = FIRST_AGAIN_SECONDS
        self._capture = CaptureSupervisor(OpenRequest(device, channel, min(hop_seconds, LONGEST_BLOCK)))
        try:
            self._open(wait)
        except BaseException:
            self._capture.close()
            raise
        self._began = time.monotonic()
        # When time that passes unheard is spoken of; the first sound of a device may take a while.
        self._gap_at = self._began + (STUCK_SECONDS if self.stats.device else LOST_SECONDS)

    def blocks(self) -> Iterator[FloatArray | Gap]:
        """Blocks of (n, channels) samples as they come, and the gaps between them, for ever."""
        try:
            while True:
                message = self._capture.receive(POLL_SECONDS)
                if message and message.kind == AUDIO:
                    yield from self._sound(message)
                    continue
                if message and message.kind == OPENED:
                    self._heed(message.content)
                    self._reopened = True
                if (now := time.monotonic()) >= self._gap_at:
                    yield self._silence(now)
        finally:
            self._capture.close()

    def close(self) -> None:
        """End the worker process."""
        self._capture.close()

    def _open(self, wait: bool) -> None:
        """Wait for the first word of the capture process, and heed it."""
        while True:
            message = self._capture.receive(POLL_SECONDS)
            if message is None:
                if self._capture.starts > MOST_STARTS:
                    raise EdgeError(f"can't record: {self._capture.problem}")
            elif message.kind == FAILED or (message.kind == ABSENT and not wait):
                raise EdgeError(message.content.decode())
            else:
                if message.kind == OPENED:
                    self._heed(message.content)
                return

    def _heed(self, content: bytes) -> None:
        opened = OpenedStream(**json.loads(content))
        self.rate, self._channels = opened.rate, opened.channels
        self.stats.device = f"{opened.name}, {opened.rate} Hz"
        self._ended_overruns = self.stats.overruns

    def _sound(self, message: Message) -> Iterator[FloatArray | Gap]:
        # A device of floats could deliver NaN, which would stay in a model's state.
        block = np.nan_to_num(np.frombuffer(message.content, np.float32)).reshape(-1, self._channels)
        seconds = len(block) / self.rate
        self._ledger = self._ledger or DropoutClock(message.at - seconds)
        lost = self._ledger.passed(message.at - seconds) if self._reopened else 0.0
        lost += self._ledger.arrived(message.at, seconds, self._dropped(message.overruns))
        if self._reopened or self._lost_since is not None:
            self._found(message.at, lost)
            yield Gap(lost, self._why)
        elif lost:
            self._warn(f"{lost:.2f} s of {DROPPED}")
            yield Gap(lost, DROPPED)
        elif message.at > self._log_at:
            self._log_pause = FIRST_AGAIN_SECONDS
        self.arrived = message.at
        self._gap_at = time.monotonic() + LOST_SECONDS
        yield block if self._channel is None else block[:, self._channel - 1 : self._channel]

    def _silence(self, now: float) -> Gap:
        self._ledger = self._ledger or DropoutClock(self._began)
        self._lost_since = self._lost_since or now - LOST_SECONDS
        self._gap_at = now + GAP_SECONDS
        self._why = self._reason()
        self._warn(f"no sound arrives: {self._why}")
        return Gap(self._ledger.passed(now), self._why)

    def _found(self, at: float, lost: float) -> None:
        if self._lost_since is None:
            self._why = self._reason()
            log.warning("%.1f s were lost: %s", lost, self._why)
        else:
            log.info("sound arrives after %.1f s: %s", at - self._lost_since, self.stats.device)
        self.stats.reconnects += self._reopened
        self._reopened, self._lost_since, self._log_at = False, None, 0.0

    def _reason(self) -> str:
        """Why nothing comes, in a line."""
        return (self._capture.problem or STOPPED).split("\n")[0]

    def _dropped(self, overruns: int) -> bool:
        """Take the count of this capture process; whether it has grown."""
        before, self.stats.overruns = self.stats.overruns, self._ended_overruns + overruns
        return self.stats.overruns > before

    def _warn(self, sentence: str) -> None:
        if (now := time.monotonic()) >= self._log_at:
            self._log_at = now + self._log_pause
            self._log_pause = min(2 * self._log_pause, LONGEST_AGAIN_SECONDS)
            log.warning(sentence)
