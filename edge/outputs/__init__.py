"""Who is told what is heard, besides the terminal: an MQTT broker, Prometheus, a history, systemd."""

from typing import Protocol

from edge.decision import Answer
from edge.health import Health


class Output(Protocol):
    """Takes every answer. It may be down, full or slow for days: it never raises, and never makes the ear wait.

    Making one checks what can be checked without reaching out. Raise EdgeError where it can never work as configured.
    """

    def start(self) -> None:
        """Reach out, and go on trying."""

    def show(self, answer: Answer, health: Health) -> None:
        """The answer of this hop."""

    def close(self) -> None:
        """No more answers will come: save or send what is left, for a few seconds at most."""
