"""Waiting for data in a pipe."""

import select
import time
from typing import IO, Any

STOPPED_SECONDS = 0.5  # a wait that takes so much longer than it should: the process was stopped, or starved


class PipePoll:
    """Waits for data in the reading end of a pipe.

    `select.select` would refuse descriptors from 1024 on, of which a server may have many.

    Parameters
    ----------
    pipe
        An open pipe.
    """

    def __init__(self, pipe: IO[Any]) -> None:
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)

    def wait(self, seconds: float) -> bool:
        """Wait until there is data, or the writer has closed the pipe.

        Returns
        -------
        bool
            False after `seconds` without either. The time in which this process was stopped (SIGSTOP, Ctrl-Z) doesn't
            count: the writer was probably stopped, too, and needs time to go on.
        """
        while True:
            began = time.monotonic()
            if self._poll.poll(seconds * 1000):
                return True
            if time.monotonic() - began < seconds + STOPPED_SECONDS:
                return False
