"""Where the time went: what was heard and what was lost make up the time that has passed.

A clock tells when each block arrived. Audio that never came, wherever it was dropped, shows in blocks that stay later
than those before: not one late block, which others catch up with, but the least late one of WINDOW_SECONDS.
"""

import math

LOST_SECONDS = 1.5  # without a block, after which a live source counts as lost
WINDOW_SECONDS = 2.0
LATEST_SECONDS = 0.05  # growth of the lateness that is lost audio even if nobody has said so
DRIFT = 1e-3  # by how much a sound card's crystal may differ from the clock; two of them rarely do by a tenth of it


class DropoutClock:
    """Heard seconds and lost seconds of one live source, by a monotonic clock in seconds."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._usual = 0.0  # lateness of a block with nothing lost before it
        self._least = math.inf  # lateness in this window
        self._since = math.inf  # when the first block of this window came
        self._dropped = False  # whether somebody has said in this window that audio was lost
        self.heard = 0.0
        self.lost = 0.0

    def arrived(self, at: float, seconds: float, dropped: bool) -> float:
        """A block of so many seconds, whose last sample came `at`: returns the seconds lost before it, mostly 0."""
        lateness = at - seconds - self._began - self.heard - self.lost
        self.heard += seconds
        self._dropped |= dropped
        self._least = min(self._least, lateness)
        self._since = min(self._since, at)
        if at < self._since + WINDOW_SECONDS:
            return 0.0
        growth = self._least - self._usual
        lost = self._lose(growth) if growth > (0 if self._dropped else LATEST_SECONDS) else 0.0
        self._usual += max(-DRIFT * WINDOW_SECONDS, min(growth - lost, DRIFT * WINDOW_SECONDS))
        self._start_window()
        return lost

    def passed(self, now: float) -> float:
        """Nothing comes: returns the seconds up to `now` that are not accounted for, and are lost."""
        self._start_window()
        return self._lose(now - self._began - self.heard - self.lost - self._usual)

    def _start_window(self) -> None:
        self._least, self._dropped, self._since = math.inf, False, math.inf

    def _lose(self, seconds: float) -> float:
        seconds = max(seconds, 0.0)
        self.lost += seconds
        return seconds
