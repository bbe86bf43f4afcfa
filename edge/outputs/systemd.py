"""Notifications to systemd: audio arrives, the main loop is alive, and a status line for `systemctl status`."""

import contextlib
import os
import socket

from edge.answer import Answer
from edge.errors import UsageError
from edge.outputs.throttle import UPDATE_SECONDS, Throttle
from edge.stats import Stats

MAX_WATCHDOG_USEC = 2**64 - 1  # systemd reads an unsigned 64-bit integer


class SystemdOutput:
    """Sends datagrams of the readiness protocol (man 3 sd_notify).

    Parameters
    ----------
    address
        Value of NOTIFY_SOCKET; an initial @ stands for the zero byte of an abstract socket.
    hop_seconds
        Time between answers.

    Raises
    ------
    UsageError
        If answers are too rare for the service's watchdog.
    """

    name = "systemd"

    def __init__(self, address: str, hop_seconds: float) -> None:
        watchdog = watchdog_seconds()
        if watchdog is not None and hop_seconds + UPDATE_SECONDS > watchdog / 2:
            raise UsageError(f"--hop {hop_seconds:g}: too long for systemd's WatchdogSec={watchdog:g}")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._ready = False
        self._throttle = Throttle()

    def start(self) -> None:
        """Do nothing: the service is ready when audio arrives."""

    def show(self, answer: Answer, stats: Stats) -> None:
        """Send WATCHDOG=1 and STATUS=, and READY=1 with the first answer that is not "lost"."""
        if not self._throttle.allows():
            return
        parts = [answer.describe(), answer.note, stats.device]
        text = "; ".join(part for part in parts if part)
        message = "WATCHDOG=1\nSTATUS=" + text.replace("\n", " ")  # a line of its own would be another variable
        if not self._ready and answer.state != "lost":
            self._ready = True
            message += "\nREADY=1"
        self._send(message)

    def close(self) -> None:
        """Send STOPPING=1: what is left to do may take some time."""
        self._send("STOPPING=1")
        self._socket.close()

    def _send(self, message: str) -> None:
        with contextlib.suppress(OSError):  # systemd's queue is full; the next message may fit
            self._socket.sendto(message.encode("utf-8", "replace"), self._address)  # a file name may not be UTF-8


def watchdog_seconds() -> float | None:
    """WatchdogSec of this process, None if systemd does not watch it (man 3 sd_watchdog_enabled).

    The variables are inherited: WATCHDOG_PID names the process that they are meant for.
    """
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        microseconds = int(os.environ["WATCHDOG_USEC"])
    except (KeyError, ValueError):
        return None
    return microseconds / 1e6 if 0 < microseconds <= MAX_WATCHDOG_USEC else None
