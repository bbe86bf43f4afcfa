"""Log lines of a service that fails and recovers: one when it fails, one when it works again."""

import logging

FIRST_RETRY_SECONDS = 1  # pause before the first retry; doubled for each further one
LONGEST_RETRY_SECONDS = 60

log = logging.getLogger("edge")


class Outage:
    """One service that may fail and recover; `name` starts its log lines. Not thread-safe."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._down = False

    def failed(self, reason: str) -> None:
        """Log a warning if it worked until now."""
        if not self._down:
            log.warning("%s: %s; trying again", self._name, reason)
        self._down = True

    def worked(self) -> None:
        """Log its recovery if it failed until now."""
        if self._down:
            log.info("%s: back", self._name)
        self._down = False


def describe_os_error(error: OSError) -> str:
    """The operating system's description without its error number, to stand inside a sentence."""
    text = error.strerror or str(error) or type(error).__name__
    return text[0].lower() + text[1:]
