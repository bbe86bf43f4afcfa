"""Exceptions of the package. Each message is one sentence for the person at the terminal."""


class EdgeError(Exception):
    """Something outside the program prevents the task; the message says what, and what would work."""


class UsageError(EdgeError):
    """Invalid arguments or an invalid configuration."""
