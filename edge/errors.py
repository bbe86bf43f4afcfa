"""The two exceptions of the whole package; each message is one sentence for the person at the terminal."""


class EdgeError(Exception):
    """Something outside this program is not as it has to be; the message says what, and what would work."""


class UsageError(EdgeError):
    """The words of the command line are off."""
