"""A machine that runs shell scripts: over the user's own ssh, or the one this runs on."""

import contextlib
import shlex
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence

from edge.deploy.shell import Script
from edge.errors import EdgeError

CONNECT_SECONDS = 20
# A Pi that loses power sends nothing: ssh polls it, and gives up.
KEEPALIVE = ("-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3", "-o", f"ConnectTimeout={CONNECT_SECONDS}")


class Host(ABC):
    """Machine that runs scripts; a context manager that closes what was opened to reach it."""

    name: str  # as the user gave it

    def __init__(self) -> None:
        self.sudo = "root"  # how its user becomes root; values in edge.deploy.probe
        self.password = ""  # for sudo

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @abstractmethod
    def connect(self) -> None:
        """Open the connection. Raises EdgeError if the machine cannot be reached."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    def run(self, script: Script, *, root: bool = False, stdin: bytes = b"") -> str:
        """Run a shell script there.

        Parameters
        ----------
        script : Script
            Made by `edge.deploy.shell.script`; the first command that fails ends it.
        root : bool
            Run it as root, through sudo unless the user is root.
        stdin : bytes
            Its standard input.

        Returns
        -------
        str
            Its standard output.

        Raises
        ------
        EdgeError
            If it fails; the message is the last line of its standard error, or of its standard output.
        """
        if not isinstance(script, Script):
            raise TypeError("only what edge.deploy.shell.script builds may run: its values are quoted")
        arguments = ["sh", "-euc", script]
        if root and self.sudo == "password":
            # -k: a sudo that remembers the password would leave it on standard input for the script to read.
            arguments, stdin = ["sudo", "-k", "-S", "-p", "", *arguments], f"{self.password}\n".encode() + stdin
        elif root and self.sudo != "root":
            arguments = ["sudo", "-n", *arguments]
        try:
            done = subprocess.run(self._command(arguments), input=stdin, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise EdgeError(f"{error.filename} is not installed on this machine") from None
        output, errors = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        if done.returncode:
            lines = [line for line in (errors.strip() or output.strip()).splitlines() if line.strip()]
            raise EdgeError(
                f"{self.name}: {lines[-1] if lines else f'exit status {done.returncode} without a message'}"
            )
        return output

    @abstractmethod
    def _command(self, arguments: list[str]) -> list[str]:
        """Command on this machine that runs these arguments there."""


class SshHost(Host):
    """Machine reached over ssh: one connection, for which ssh may ask for a password, and everything else over it."""

    def __init__(self, name: str, options: Sequence[str] = ()) -> None:
        """Take a `name` as ssh does, and `options` as its `-o` does."""
        super().__init__()
        self.name = name
        self._options = [*KEEPALIVE, *(word for option in options for word in ("-o", option))]
        self._folder = tempfile.mkdtemp(prefix="edge-")  # short: the path of a socket has 104 characters at most

    def connect(self) -> None:
        """Open the connection; ssh asks on the terminal for what it needs. Raises EdgeError if that fails."""
        master = ["-o", "ControlMaster=yes", "-o", "ControlPersist=yes", *self._control(), *self._options]
        with tempfile.TemporaryFile("w+") as log:  # not a pipe: the ssh in the background would keep it open
            try:
                ssh = ["ssh", *master, "-f", "-N", self.name]
                done = subprocess.run(ssh, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
            except FileNotFoundError:
                raise EdgeError("ssh is not installed on this machine") from None
            if done.returncode:
                log.seek(0)
                lines = log.read().strip().splitlines()
                raise EdgeError(f"{self.name}: {lines[-1] if lines else 'ssh failed without a message'}")

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            end = ["ssh", *self._control(), "-O", "exit", self.name]
            subprocess.run(end, capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _command(self, arguments: list[str]) -> list[str]:
        return ["ssh", *self._control(), *self._options, self.name, shlex.join(arguments)]

    def _control(self) -> list[str]:
        return ["-o", f"ControlPath={self._folder}/s"]


class ThisMachine(Host):
    """The machine that this runs on."""

    name = "this machine"

    def connect(self) -> None:
        """Do nothing: there is nothing to open."""

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _command(self, arguments: list[str]) -> list[str]:
        return arguments
