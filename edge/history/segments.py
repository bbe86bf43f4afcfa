"""Segments: what was heard, joined to spans of the same state and label, with the time of day at which each began."""

import dataclasses
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge.answer import Answer

CLOCK_STEP_SECONDS = 10.0  # by which the wall clock runs ahead of the audio: it was set, and a new segment begins
MAX_DRIFT = 0.01  # share of the audio's time by which the audio of a live source may be ahead of the wall clock
RUN_BITS = 53  # JSON readers keep integers of 53 bits exact


@dataclass(frozen=True)
class Segment:
    """Consecutive answers of the same state, label and device.

    Attributes
    ----------
    run
        Random number of the run of edge-listen.
    number
        Counts the segments of a run.
    began
        Unix time of the beginning.
    seconds
        Length.
    state, label
        Of the answers.
    confidence
        Mean confidence of the answers over time.
    device
        Description of the audio source.
    """

    run: int
    number: int
    began: float
    seconds: float
    state: str
    label: str | None
    confidence: float
    device: str


class SegmentBuilder:
    """Joins answers to segments.

    Lengths are audio time. The wall clock only says when a segment began: a Raspberry Pi has no clock that runs while
    it is off, and learns the date from the network some time after it has started. Segments don't overlap, except
    where the clock was set back: a file, which is read faster than it plays, is laid out from the moment at which
    reading began.

    Parameters
    ----------
    clock
        Returns the Unix time.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._now = clock()
        self._time = 0.0  # of the last answer
        self._last = Segment(secrets.randbits(RUN_BITS), 0, 0.0, 0.0, "warming", None, 0.0, "")

    def add(self, answer: Answer, device: str) -> Segment | None:
        """Take the next answer.

        Returns
        -------
        The segment of the answer, as long as it is so far; None while the state is "warming".
        """
        seconds, self._time = max(answer.time - self._time, 0.0), answer.time
        before, self._now = self._now, self._clock()
        set_back = self._now < before
        set_forward = self._now - before - seconds > CLOCK_STEP_SECONDS
        device = device.encode("utf-8", "replace").decode()  # SQLite refuses undecodable bytes of a file name
        last = self._last
        same = (answer.state, answer.label, device) == (last.state, last.label, last.device)
        if not same or set_back or set_forward:
            began = self._now - seconds if set_back else self._next_began(seconds)
            last = Segment(last.run, last.number + 1, began, 0.0, answer.state, answer.label, answer.confidence, device)
        self._last = _extended(last, seconds, answer.confidence)
        return self._last if answer.state != "warming" else None

    def _next_began(self, seconds: float) -> float:
        """The beginning of a new segment whose first answer is `seconds` long."""
        began = self._now - seconds
        end = self._last.began + self._last.seconds
        # The clock of a sound card drifts against the wall clock, and an answer may be late: such small leads are not
        # kept, or they would add up over the weeks.
        return began if end - began <= MAX_DRIFT * self._time else end


def _extended(segment: Segment, seconds: float, confidence: float) -> Segment:
    length = segment.seconds + seconds
    mean = segment.confidence + (confidence - segment.confidence) * seconds / length if length else confidence
    return dataclasses.replace(segment, seconds=length, confidence=mean)
