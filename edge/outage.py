"""Log lines of a service that fails and recovers, and the pauses between the attempts to reach it."""

import logging

FIRST_RETRY_SECONDS = 1  # pause before the first retry; each further one is twice as long
MAX_RETRY_SECONDS = 60

log = logging.getLogger("edge")


class Outage:
    """Logs one line when a service fails, and one when it works again. Not thread-safe.

    Parameters
    ----------
    name
        The service, as its log lines begin.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._down = False

    def failed(self, reason: str) -> None:
        """Log a warning, unless the service was down already."""
        if not self._down:
            log.warning("%s: %s; trying again", self._name, reason)
        self._down = True

    def worked(self) -> None:
        """Log the recovery, if the service was down."""
        if self._down:
            log.info("%s: works again", self._name)
        self._down = False


def describe_os_error(error: OSError) -> str:
    """The operating system's description without its error number, to stand inside a sentence."""
    text = error.strerror or str(error) or type(error).__name__
    return text[0].lower() + text[1:]
