"""A limit on how often systemd and the status file are updated."""

import math
import time

UPDATE_SECONDS = 1.0  # shortest time between two updates


class Throttle:
    """Allows an action once per `UPDATE_SECONDS`."""

    def __init__(self) -> None:
        self._next = -math.inf

    def allows(self) -> bool:
        """True if the last True is `UPDATE_SECONDS` ago."""
        if (now := time.monotonic()) < self._next:
            return False
        self._next = now + UPDATE_SECONDS
        return True
