"""What systemd is told: that audio flows, that the loop is alive, and what is heard, for `systemctl status`."""

import contextlib
import os
import socket
import time

from edge.answer import Answer
from edge.errors import UsageError
from edge.stats import Stats

LEAST_SECONDS = 1.0  # between two messages


class SystemdOutput:
    """The readiness protocol of systemd (man 3 sd_notify): datagrams to the socket that NOTIFY_SOCKET names."""

    def __init__(self, address: str) -> None:
        """`address` is NOTIFY_SOCKET's; it starts with @ where the socket is abstract."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._ready = False
        self._next = 0.0

    def start(self) -> None:
        """Nothing to say before there is sound."""

    def show(self, answer: Answer, stats: Stats) -> None:
        """WATCHDOG=1 and STATUS= in words, and READY=1 with the first sound."""
        if (now := time.monotonic()) < self._next:
            return
        self._next = now + LEAST_SECONDS
        said = [answer.describe(), answer.note, stats.device]
        message = "WATCHDOG=1\nSTATUS=" + "; ".join(word for word in said if word)
        if not self._ready and answer.state != "lost":
            self._ready = True
            message += "\nREADY=1"
        self._send(message)

    def close(self) -> None:
        """STOPPING=1: what is left to be done may take its time."""
        self._send("STOPPING=1")
        self._socket.close()

    def _send(self, message: str) -> None:
        with contextlib.suppress(OSError):  # systemd is too busy to listen; it will hear the next one
            self._socket.sendto(message.encode(), self._address)


def systemd_output(hop_seconds: float) -> SystemdOutput | None:
    """The output, where systemd waits for one. Raise UsageError where its watchdog wants words more often than hops."""
    address = os.environ.pop("NOTIFY_SOCKET", None)  # popped: no child speaks for us
    patience = int(os.environ.get("WATCHDOG_USEC", 0)) / 1e6
    if patience and hop_seconds + LEAST_SECONDS > patience / 2:
        raise UsageError(f"--hop {hop_seconds:g}: too long for systemd's WatchdogSec={patience:g}")
    return SystemdOutput(address) if address else None
