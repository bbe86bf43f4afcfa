"""What can be down for days is said once when it goes and once when it is back."""

import logging

FIRST_RETRY_SECONDS = 1  # what is down is tried again after so long, then after twice that, and so on,
LONGEST_RETRY_SECONDS = 60  # but not less often than this

log = logging.getLogger("edge")


class Outage:
    """One thing that fails and recovers; `name` starts its sentences. Use it from one thread at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._down = False

    def failed(self, reason: str) -> None:
        """It doesn't work: a warning, if it did until now."""
        if not self._down:
            log.warning("%s: %s; trying again", self._name, reason)
        self._down = True

    def worked(self) -> None:
        """It works: an info, if it didn't until now."""
        if self._down:
            log.info("%s: back", self._name)
        self._down = False


def why(error: OSError) -> str:
    """The system's own words, without its error number, to stand inside a sentence."""
    words = error.strerror or str(error) or type(error).__name__
    return words[0].lower() + words[1:]
