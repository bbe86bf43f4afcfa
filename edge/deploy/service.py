"""How the service goes on a machine, as systemd and the service itself say, and the wait for its first answer."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.deploy import layout
from edge.deploy.host import Host
from edge.errors import EdgeError

ASK_SECONDS = 1.0
MOST_STARTS = 2  # a program that ended so often by itself will go on so
NO_ANSWER = ("warming", "lost")
PROPERTIES = (
    "ActiveState",
    "MainPID",
    "NRestarts",
    "StatusText",
    "ExecMainStartTimestampMonotonic",
)
ASK = f"""\
systemctl show {layout.SERVICE} {" ".join(f"-p {name}" for name in PROPERTIES)}
printf 'Uptime=%s\\n' "$(cut -d ' ' -f 1 /proc/uptime)"
[ ! -r {layout.STATUS} ] || printf 'Told=%s\\n' "$(cat {layout.STATUS})"
"""
JOURNAL = "journalctl --quiet --no-pager --lines 3 --output cat"
# Its own words or, where it hadn't any, systemd's about it.
LAST_WORDS = f"""\
said=$({JOURNAL} _SYSTEMD_UNIT={layout.SERVICE}.service)
[ -n "$said" ] || said=$({JOURNAL} --unit {layout.SERVICE})
printf '%s\\n' "$said"
"""


@dataclass(frozen=True)
class Service:
    """The service at one moment."""

    active: str  # systemd's words: active, activating, failed, inactive …
    pid: int  # 0 where it doesn't run
    restarts: int  # of a program that ended by itself
    text: str  # what it says in `systemctl status`
    up_seconds: float
    told: dict[str, Any]  # its answer and its health (edge.outputs.status); {} before there are any

    @property
    def answers(self) -> bool:
        """Whether it hears."""
        return bool(self.told) and self.told["state"] not in NO_ANSWER

    @property
    def words(self) -> str:
        """What it is at, in a line."""
        return f"{self.active}: {self.text}" if self.text else self.active


def ask(host: Host) -> Service:
    """How it goes now. Raise EdgeError where the machine doesn't say."""
    said = dict(line.partition("=")[::2] for line in host.run(ASK, root=True).splitlines())
    started, pid = int(said["ExecMainStartTimestampMonotonic"] or 0) / 1e6, int(said["MainPID"])
    return Service(
        active=said["ActiveState"],
        pid=pid,
        restarts=int(said["NRestarts"]),
        text=said["StatusText"],
        up_seconds=float(said["Uptime"]) - started if pid else 0.0,
        told=json.loads(said.get("Told", "{}")),
    )


def wait_for_answer(host: Host, model_sha256: str, old_pid: int | None, patience: float) -> Service:
    """The service, once a process other than the old one has heard something with this model.

    Raise EdgeError, with why, if that takes more than `patience` seconds, or the program ends by itself.
    """

    def answered(now: Service) -> bool:
        return now.answers and now.pid != old_pid and now.told["model_sha256"] == model_sha256

    return _wait(host, answered, patience)


def wait_for_life(host: Host, seconds: float) -> Service:
    """The service, once it has run for so long without ending by itself, whether it hears or not. Raise EdgeError."""
    return _wait(host, lambda now: now.pid > 0 and now.up_seconds >= seconds, 3 * seconds)


def _wait(host: Host, until: Callable[[Service], bool], patience: float) -> Service:
    deadline = time.monotonic() + patience
    while True:
        now = ask(host)
        if until(now):
            return now
        if now.active == "failed" or now.restarts >= MOST_STARTS:
            raise EdgeError(f"{host.name}: the service ends by itself: {last_words(host)}")
        if time.monotonic() > deadline:
            raise EdgeError(f"{host.name}: no answer in {patience:g} s: {now.text or last_words(host)}")
        time.sleep(ASK_SECONDS)


def last_words(host: Host) -> str:
    """The end of its journal, in a line."""
    return "; ".join(line.strip() for line in host.run(LAST_WORDS, root=True).splitlines() if line.strip())
