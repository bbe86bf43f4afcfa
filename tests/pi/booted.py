"""A booted machine and edge-deploy as its user runs it."""

import base64
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

from machine import Machine

from edge.deploy import layout
from edge.deploy.package import own_wheel

PATIENCE = "180"  # an emulated Pi is slow, and other tests may run beside it
# Paths that change whenever apt, systemd or Python do anything.
SYSTEMS_OWN = re.compile(
    r"/(proc|sys|dev|run|tmp)/|/var/(log|cache|tmp)/|/var/lib/(apt|dpkg|systemd|private|sudo|ucf|pam)/?|__pycache__"
    r"|/var/lib/private$|\.sudo_as_admin_successful$|/etc/ld.so.cache|/etc/(ssl|ca-certificates)|/usr/(local/)?share/ca-certificates|/home/pi/\.cache$"
)


class Pi:
    """A booted machine, and the command that deploys to it."""

    def __init__(self, machine: Machine, port: int) -> None:
        self.machine = machine
        self.name = f"ssh://pi@127.0.0.1:{port}"

    @property
    def command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "edge.deploy.command",
            self.name,
            *self.machine.ssh_options,
            "--patience",
            PATIENCE,
        ]

    def deploy(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            stdin=subprocess.DEVNULL,
        )

    def root(self, script: str) -> str:
        done = self.machine.enter("sh", "-euc", script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def here(self, *arguments: str) -> str:
        """Run edge-deploy on the machine itself, as a user who may use sudo."""
        return self.root(
            shlex.join(["su", "pi", "-c", f"{layout.CURRENT}/bin/edge-deploy --here {' '.join(arguments)}"])
        )

    def write(self, path: str, content: bytes) -> None:
        script = f"base64 --decode > {shlex.quote(path)}"
        assert self.machine.enter("sh", "-c", script, input=base64.b64encode(content).decode()).returncode == 0

    @property
    def pid(self) -> int:
        return int(self.root(f"systemctl show -P MainPID {layout.SERVICE}"))

    @property
    def status(self) -> dict[str, object]:
        status: dict[str, object] = json.loads(self.root(f"cat {layout.STATUS}"))
        return status

    @property
    def release(self) -> str:
        return Path(self.root(f"readlink {layout.CURRENT}").strip()).name

    def files(self) -> set[str]:
        """Every path but those of the system itself."""
        paths = self.root("find / -xdev 2>/dev/null || true").splitlines()
        return {path for path in paths if not SYSTEMS_OWN.search(path)}

    def packages(self) -> str:
        return self.root("dpkg-query -W -f '${Package}\\n'")


def changed_wheel(folder: Path, end: str, old: bytes, new: bytes) -> Path:
    """Return our wheel with a text replaced in the file whose name has this end."""
    good = own_wheel(folder)
    changed = folder / "changed" / good.name
    changed.parent.mkdir()
    with zipfile.ZipFile(good) as archive, zipfile.ZipFile(changed, "w") as other:
        (target,) = (name for name in archive.namelist() if name.endswith(end))
        for name in archive.namelist():
            content = archive.read(name)
            if name == target:
                assert old in content
                content = content.replace(old, new, 1)
            if name.endswith("/RECORD"):
                content = re.sub(rf"{re.escape(target)},.*".encode(), f"{target},,".encode(), content)
            other.writestr(name, content)
    return changed


def at_a_terminal(command: list[str], prompt: str, answer: str) -> str:
    """Run a command on a terminal, answer its prompt, and return its output."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    output = b""
    answered = False
    while True:
        try:
            output += os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not answered and prompt.encode() in output:
            os.write(terminal, f"{answer}\n".encode())
            answered = True
    os.waitpid(pid, 0)
    return output.decode()
