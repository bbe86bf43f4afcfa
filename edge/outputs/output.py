"""The interface of outputs besides the terminal: an MQTT broker, Prometheus, a history, systemd, a status file."""

from typing import Protocol

from edge.answer import Answer
from edge.stats import Stats


class Output(Protocol):
    """Takes every answer. Its service may be down, full or slow for days: it never raises and never blocks the loop.

    The constructor checks what can be checked without a connection, and raises EdgeError if it can never work as
    configured. `name` is its name in messages.
    """

    name: str

    def start(self) -> None:
        """Connect, and keep trying."""

    def show(self, answer: Answer, stats: Stats) -> None:
        """Take the answer of one hop."""

    def close(self) -> None:
        """Save or send what is left, for a few seconds at most."""
