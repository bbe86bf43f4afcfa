"""Detection of audio that was lost: heard and lost seconds together make up the time that has passed.

The arrival time of each block is known. Audio that never came, wherever it was dropped, shows in blocks that stay later
than those before: not in one late block, which later ones make up for, but in the least late one of `WINDOW_SECONDS`.
"""

import math

WINDOW_SECONDS = 2.0
MAX_GROWTH_SECONDS = 0.05  # of the lateness; more is lost audio even if no overrun was reported
DRIFT = 1e-3  # by how much a sound card's crystal may differ from the clock; two of them rarely do by a tenth of it


class DropoutClock:
    """Heard and lost seconds of one live source, measured with a monotonic clock.

    Attributes
    ----------
    heard, lost : float
        Seconds so far.
    """

    def __init__(self, start: float) -> None:
        """Begin at `start`, in seconds of the clock."""
        self.heard = 0.0
        self.lost = 0.0
        self._start = start
        self._normal_lateness = 0.0  # of a block with nothing lost before it
        self._least_lateness = math.inf  # in this window
        self._dropped = False  # an overrun was reported in this window
        self._window_start = math.inf  # arrival of the first block of this window

    def add_block(self, time: float, seconds: float, dropped: bool) -> float:
        """Account for a block.

        Parameters
        ----------
        time
            Arrival of its last sample, in seconds of the clock.
        seconds
            Length of the block.
        dropped
            True if an overrun was reported before it.

        Returns
        -------
        Seconds that were lost before the block, mostly 0.
        """
        lateness = time - seconds - self._start - self.heard - self.lost
        self.heard += seconds
        self._dropped |= dropped
        self._least_lateness = min(self._least_lateness, lateness)
        self._window_start = min(self._window_start, time)
        if time < self._window_start + WINDOW_SECONDS:
            return 0.0
        growth = self._least_lateness - self._normal_lateness
        lost = self._lose(growth) if growth > (0 if self._dropped else MAX_GROWTH_SECONDS) else 0.0
        self._normal_lateness += max(-DRIFT * WINDOW_SECONDS, min(growth - lost, DRIFT * WINDOW_SECONDS))
        self._begin_window()
        return lost

    def skip_to(self, time: float) -> float:
        """Count the time up to `time` that is not accounted for as lost; returns these seconds."""
        self._begin_window()
        return self._lose(time - self._start - self.heard - self.lost - self._normal_lateness)

    def _begin_window(self) -> None:
        self._least_lateness, self._dropped, self._window_start = math.inf, False, math.inf

    def _lose(self, seconds: float) -> float:
        seconds = max(seconds, 0.0)
        self.lost += seconds
        return seconds
