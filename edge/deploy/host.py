"""A machine that runs shell scripts and takes files: by the user's own ssh and scp, or the one this runs on."""

import contextlib
import shlex
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from edge.errors import EdgeError

CONNECT_SECONDS = 20
# A Pi whose power is cut says nothing: ssh asks, and gives up.
ALIVE = ("-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3", "-o", f"ConnectTimeout={CONNECT_SECONDS}")


class Host(ABC):
    """A context: what was opened to reach it is closed at the end."""

    name: str  # as the user gave it

    def __init__(self) -> None:
        self.sudo = "root"  # how its user becomes root: as edge.deploy.probe says
        self.password = ""  # for sudo

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @abstractmethod
    def connect(self) -> None:
        """Reach it. Raise EdgeError where that can't be."""

    @abstractmethod
    def close(self) -> None:
        """Leave it."""

    def run(self, script: str, *, root: bool = False, text: str = "") -> str:
        """What a shell script prints there; `text` is its standard input.

        Raise EdgeError with the last line that it said if it fails.
        """
        words, given = ["sh", "-euc", script], text
        if root and self.sudo == "password":
            # -k: a sudo that still knows the password would leave it to the script to read.
            words, given = ["sudo", "-k", "-S", "-p", "", *words], f"{self.password}\n{text}"
        elif root and self.sudo != "root":
            words = ["sudo", "-n", *words]
        try:
            done = subprocess.run(self._there(words), input=given, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise EdgeError(f"{error.filename} isn't installed here") from None
        if done.returncode:
            said = [line for line in (done.stderr.strip() or done.stdout.strip()).splitlines() if line.strip()]
            raise EdgeError(f"{self.name}: {said[-1] if said else f'exit status {done.returncode}, and not a word'}")
        return done.stdout

    @abstractmethod
    def copy_command(self, files: Sequence[Path], folder: str) -> list[str]:
        """The command that copies files into a folder there."""

    def copy(self, files: Sequence[Path], folder: str) -> None:
        """Copy files into a folder there. Raise EdgeError if that fails."""
        done = subprocess.run(self.copy_command(files, folder), capture_output=True, text=True, check=False)
        if done.returncode:
            raise EdgeError(f"{self.name}: {done.stderr.strip().splitlines()[-1]}")

    @abstractmethod
    def _there(self, words: list[str]) -> list[str]:
        """The command here that runs these words there."""


class SshHost(Host):
    """By ssh: one connection, which the user may have to type a password for, and everything else over it."""

    def __init__(self, name: str, options: Sequence[str] = ()) -> None:
        """`name` as ssh takes it; `options` are those of ssh's `-o`."""
        super().__init__()
        self.name = name
        self._options = [*ALIVE, *(word for option in options for word in ("-o", option))]
        self._folder = tempfile.mkdtemp(prefix="edge-")  # short: a socket's path has 104 characters at most

    def connect(self) -> None:
        """Open the connection; ssh asks for what it needs on the terminal. Raise EdgeError where there is none."""
        master = ["-o", "ControlMaster=yes", "-o", "ControlPersist=yes", *self._control(), *self._options]
        with tempfile.TemporaryFile("w+") as said:  # no pipe: what stays in the background would keep it open
            try:
                ssh = ["ssh", *master, "-f", "-N", self.name]
                done = subprocess.run(ssh, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False)
            except FileNotFoundError:
                raise EdgeError("ssh isn't installed here") from None
            if done.returncode:
                said.seek(0)
                lines = said.read().strip().splitlines()
                raise EdgeError(f"{self.name}: {lines[-1] if lines else 'ssh gave up, and not a word'}")

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            end = ["ssh", *self._control(), "-O", "exit", self.name]
            subprocess.run(end, capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def copy_command(self, files: Sequence[Path], folder: str) -> list[str]:
        """By scp."""
        user, at, address = self.name.rpartition("@")
        if self.name.startswith("ssh://"):
            place = f"scp://{self.name.removeprefix('ssh://').rstrip('/')}/{folder}/"
        else:
            place = f"{user}{at}{f'[{address}]' if ':' in address else address}:{folder}/"
        return ["scp", "-q", *self._control(), *self._options, *map(str, files), place]

    def _there(self, words: list[str]) -> list[str]:
        return ["ssh", *self._control(), *self._options, self.name, shlex.join(words)]

    def _control(self) -> list[str]:
        return ["-o", f"ControlPath={self._folder}/s"]


class ThisMachine(Host):
    """The one that this runs on."""

    name = "this machine"

    def connect(self) -> None:
        """It is reached."""

    def close(self) -> None:
        """Nothing was opened."""

    def copy_command(self, files: Sequence[Path], folder: str) -> list[str]:
        """By cp."""
        return ["cp", *map(str, files), folder]

    def _there(self, words: list[str]) -> list[str]:
        return words
