"""Status of the service, from systemd and from status.json, and the wait for its first answer."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.deploy import layout
from edge.deploy.host import Host
from edge.deploy.shell import Script, script
from edge.errors import EdgeError

POLL_SECONDS = 1.0
MAX_RESTARTS = 2  # a program that has ended by itself this often will do so again
NO_ANSWER = ("warming", "lost")
PROPERTIES = (
    "ActiveState",
    "MainPID",
    "NRestarts",
    "StatusText",
    "ExecMainStartTimestampMonotonic",
)
JOURNAL = script("journalctl --quiet --no-pager --lines 3 --output cat")
# Lines of the program or, if it wrote none, of systemd about it.
LAST_LOG_LINES = script(
    """\
lines=$({journal} _SYSTEMD_UNIT={service}.service)
[ -n "$lines" ] || lines=$({journal} --unit {service})
printf '%s\\n' "$lines"
""",
    journal=JOURNAL,
    service=layout.SERVICE,
)


@dataclass(frozen=True)
class Service:
    """State of the service at one moment."""

    active: str  # ActiveState of systemd: active, activating, failed, inactive …
    pid: int  # 0 if it does not run
    restarts: int  # after the program ended by itself
    text: str  # its line in `systemctl status`
    up_seconds: float
    status: dict[str, Any]  # status.json: the answer and the statistics; {} if there is none yet

    @property
    def answers(self) -> bool:
        """True if its last answer is about sound that it has heard."""
        return self.status.get("state", NO_ANSWER[0]) not in NO_ANSWER

    @property
    def summary(self) -> str:
        """Its state in one line."""
        return f"{self.active}: {self.text}" if self.text else self.active

    def to_dict(self) -> dict[str, Any]:
        """Fields as the report of --json has them."""
        return {
            "active": self.active,
            "pid": self.pid,
            "restarts": self.restarts,
            "text": self.text,
            "up_seconds": self.up_seconds,
            "told": self.status,
        }


def status_script() -> Script:
    """Print the properties of the service, the uptime of the machine and last, if it can be read, status.json."""
    return script(
        """\
systemctl show {service} {properties}
printf 'Uptime=%s\\n' "$(cut -d ' ' -f 1 /proc/uptime)"
status=$(cat {status} 2> /dev/null) || true
printf 'Status=%s\\n' "$status"
""",
        service=layout.SERVICE,
        properties=[word for name in PROPERTIES for word in ("-p", name)],
        status=layout.STATUS,
    )


def query(host: Host) -> Service:
    """Return the state of the service now. Raises EdgeError if the reply of systemd is not understood."""
    reply = host.run(status_script(), root=True)
    head, _, status = reply.partition("\nStatus=")
    values = dict(line.partition("=")[::2] for line in head.splitlines())
    try:
        started, pid = int(values["ExecMainStartTimestampMonotonic"] or 0) / 1e6, int(values["MainPID"])
        return Service(
            active=values["ActiveState"],
            pid=pid,
            restarts=int(values["NRestarts"]),
            text=values["StatusText"],
            up_seconds=float(values["Uptime"]) - started if pid else 0.0,
            status=parse_status(status),
        )
    except (KeyError, ValueError):
        raise EdgeError(f"{host.name}: unexpected reply from systemctl: {' '.join(reply.split()):.80}") from None


def parse_status(text: str) -> dict[str, Any]:
    """Fields of status.json; {} if there is no whole one, because it vanished or was read too early."""
    try:
        fields = json.loads(text)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def wait_for_answer(host: Host, model_sha256: str, old_pid: int | None, patience: float) -> Service:
    """Wait until a process other than the old one has answered with this model.

    Parameters
    ----------
    host : Host
        Machine on which the service runs.
    model_sha256 : str
        Digest of the model's file.
    old_pid : int or None
        Process whose answers do not count.
    patience : float
        Longest wait in seconds.

    Returns
    -------
    Service
        Its state with that answer.

    Raises
    ------
    EdgeError
        If there is no such answer in time, or the program keeps ending by itself; the message has the reason.
    """

    def answered(now: Service) -> bool:
        return now.answers and now.pid != old_pid and now.status.get("model_sha256") == model_sha256

    return _wait(host, answered, patience)


def wait_until_stable(host: Host, seconds: float) -> Service:
    """Wait until it has run for so long without ending by itself, with or without an answer. Raises EdgeError."""
    return _wait(host, lambda now: now.pid > 0 and now.up_seconds >= seconds, 3 * seconds)


def _wait(host: Host, condition: Callable[[Service], bool], patience: float) -> Service:
    deadline = time.monotonic() + patience
    while True:
        now = query(host)
        if condition(now):
            return now
        if now.active == "failed" or now.restarts >= MAX_RESTARTS:
            raise EdgeError(f"{host.name}: the service keeps exiting: {last_log_lines(host)}")
        if time.monotonic() > deadline:
            raise EdgeError(f"{host.name}: no answer within {patience:g} s: {now.text or last_log_lines(host)}")
        time.sleep(POLL_SECONDS)


def last_log_lines(host: Host) -> str:
    """End of its journal, in one line."""
    return "; ".join(line.strip() for line in host.run(LAST_LOG_LINES, root=True).splitlines() if line.strip())
