"""An emulated Raspberry Pi: a Debian tree for Arm under QEMU's user emulation, which can boot if it has 64 bits.

Needs root for overlays, namespaces and binfmt_misc. It shares the network of this machine.
"""

import ast
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from emulation import emulation
from helpers.support import wait_for

PIS = os.environ.get("PIS", "").split()  # names SUITE-ARCHITECTURE of trees; make test-pi sets this and their folder
TREES = Path(os.environ.get("TREES", ""))
PIS_64 = [pi for pi in PIS if pi.endswith("-arm64")]
PIS_32 = [pi for pi in PIS if pi.endswith("-armhf")]
BOOT = Path(__file__).with_name("boot.sh")
DIES_WITH_US = ("setpriv", "--pdeathsig=KILL")
ENVIRONMENT = (
    *("env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    *("LANG=C.UTF-8", "HOME=/root"),
)
# Cores of a Raspberry Pi 4, 5 and 2. QEMU's default has matrix instructions (SME), with which ai-edge-litert's answers
# are noise.
CORES = {"bookworm-arm64": "cortex-a72", "trixie-arm64": "cortex-a76", "bookworm-armhf": "cortex-a7"}
EMULATORS = {"arm64": "qemu-aarch64", "armhf": "qemu-arm"}
# Options that say how pip reaches PyPI; other sources of wheels are local to this machine.
PIP_OPTIONS = ("index-url", "trusted-host", "proxy", "timeout", "retries")
HOSTS = b"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 raspberrypi\n"
CERTIFICATES = "etc/lent-certificates.pem"  # no package of the tree writes to this name
PROXIES = tuple(name for word in ("http", "https", "no") for name in (f"{word}_proxy", f"{word}_proxy".upper()))

# Units that would set up the kernel, which belongs to this machine, or hardware that does not exist.
MASKED = (
    "systemd-binfmt.service",
    "proc-sys-fs-binfmt_misc.automount",
    "proc-sys-fs-binfmt_misc.mount",
    "systemd-sysctl.service",
    "systemd-modules-load.service",
    "systemd-udevd.service",
    "systemd-udevd-kernel.socket",
    "systemd-udevd-control.socket",
    "systemd-udev-trigger.service",
    "systemd-tmpfiles-setup-dev.service",
    "systemd-tmpfiles-setup-dev-early.service",
    "systemd-timesyncd.service",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "sys-kernel-config.mount",
    "sys-fs-fuse-connections.mount",
    "dev-hugepages.mount",
    "console-getty.service",
    "getty.target",
    "modprobe@.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
)
# Units with credentials, which cannot be mounted under QEMU.
WITHOUT_CREDENTIALS = ("systemd-tmpfiles-setup.service", "systemd-sysusers.service", "systemd-journald.service")
PREPARE = """
set -eu
id pi >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --groups audio pi
install -d -m 700 -o pi -g pi /home/pi/.ssh
cat > /home/pi/.ssh/authorized_keys
chown pi:pi /home/pi/.ssh/authorized_keys
printf 'Defaults env_keep += QEMU_CPU\\npi ALL=(ALL) NOPASSWD: ALL\\n' > /etc/sudoers.d/010_pi-nopasswd
chmod 440 /etc/sudoers.d/010_pi-nopasswd
mkdir -p /etc/ssh/sshd_config.d
printf 'ListenAddress 127.0.0.1\\nPort %s\\nPasswordAuthentication no\\n' "$1" > /etc/ssh/sshd_config.d/test.conf
ssh-keygen -A
echo "$4" >> /etc/environment
mkdir -p /etc/systemd/system.conf.d
printf '[Manager]\\nDefaultEnvironment=%s\\n' "$4" > /etc/systemd/system.conf.d/test.conf
echo raspberrypi > /etc/hostname
cd /etc/systemd/system
for unit in $2; do ln -sfn /dev/null "$unit"; done
for unit in $3; do
    mkdir -p "$unit.d"
    printf '[Service]\\nLoadCredential=\\nImportCredential=\\n' > "$unit.d/test.conf"
done
"""
# mov x8, #291 and mov x8, #999
STATX, NO_CALL = bytes.fromhex("682480d2"), bytes.fromhex("e87c80d2")


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Machine:
    """A machine of `tree` and the layers `below` over it, which stay unchanged: writes go to `layer`."""

    def __init__(self, tree: Path, layer: Path, below: Sequence[Path] = ()) -> None:
        assert (tree / "usr/bin/python3").exists(), f"{tree} is not a Debian tree: run make test-pi, which makes it"
        self.tree, self.layer = tree, layer
        self.log = layer / "boot.log"
        self._lower = ":".join([*(str(other / "changes") for other in reversed(below)), str(tree)])
        self._qemu = tree.parent / EMULATORS[tree.name.rpartition("-")[2]]
        self._core = f"QEMU_CPU={CORES[tree.name]}"
        self._key = layer / "key"
        self._port = 0
        self._init: Path | None = None
        self._running = contextlib.ExitStack()
        layer.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *error: object) -> None:
        self.halt()

    def run(
        self, *command: str | Path, timeout: float = 300.0, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root while the machine is not booted."""
        assert self._init is None, "two overlays over the same layer"
        with emulation(self._qemu):
            return _finished(
                [*DIES_WITH_US, BOOT, self._lower, self.layer, *ENVIRONMENT, self._core, *_proxies(), *command],
                timeout,
                input,
            )

    def boot(self, ssh_port: int, timeout: float = 180.0) -> None:
        """Boot systemd, and return when sshd answers on 127.0.0.1:ssh_port; the user `pi` there may use sudo."""
        self.lend_network()
        self._forget_statx()
        self._make_key()
        arguments = (str(ssh_port), " ".join(MASKED), " ".join(WITHOUT_CREDENTIALS), self._core)
        done = self.run("sh", "-c", PREPARE, "sh", *arguments, input=self._key.with_suffix(".pub").read_text())
        assert done.returncode == 0, done.stderr
        self._port = ssh_port
        with contextlib.ExitStack() as stack:
            stack.enter_context(emulation(self._qemu))
            self._init = stack.enter_context(self._systemd(stack.enter_context(_cgroup(f"edge-listen-{ssh_port}"))))
            stack.callback(setattr, self, "_init", None)
            self._wait_for_sshd(timeout)
            self._running = stack.pop_all()

    @property
    def ssh_options(self) -> list[str]:
        """Options for ssh to ssh://pi@127.0.0.1:PORT."""
        options = {
            "IdentityFile": self._key,
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": self.layer / "known_hosts",
            "LogLevel": "ERROR",
            "BatchMode": "yes",
            "ConnectTimeout": 30,
        }
        return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]

    def enter(
        self, *command: str | Path, timeout: float = 300.0, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root on the booted machine."""
        assert self._init is not None, "not booted"
        spaces = ["nsenter", "--target", self._init.name, "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--root"]
        return _finished([*spaces, "--wd=/", *ENVIRONMENT, self._core, *command], timeout, input)

    def halt(self) -> None:
        """Kill all of its processes, and with them its mounts, as a power cut does."""
        self._running.close()

    @contextlib.contextmanager
    def _systemd(self, cgroup: Path) -> Iterator[Path]:
        """Start systemd; yield the folder in /proc of process 1 of the machine."""
        into = [*DIES_WITH_US, "sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', cgroup]
        systemd = ["env", self._core, "/lib/systemd/systemd", "--unit=multi-user.target"]
        command = [*into, BOOT, self._lower, self.layer, *systemd]
        with (
            self.log.open("wb") as log,
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True) as boot,
        ):
            try:
                children = Path(f"/proc/{boot.pid}/task/{boot.pid}/children")
                wait_for(children.read_text, 20)
                yield Path("/proc", children.read_text().split()[0])
            finally:
                boot.kill()

    def lend_network(self) -> None:
        """Let the tree reach PyPI and Debian as this machine does: names, options of pip, certificates."""
        ours = _pip_options()
        options = {name: ours[name] for name in PIP_OPTIONS if name in ours}
        if "cert" in ours:
            self._write(CERTIFICATES, Path(ours["cert"]).read_bytes())
            options["cert"] = f"/{CERTIFICATES}"
        pip = "".join(["[global]\n", *(f"{name} = {value}\n" for name, value in options.items())])
        self._write("etc/pip.conf", pip.encode())
        self._write("etc/resolv.conf", Path("/etc/resolv.conf").read_bytes())
        self._write("etc/hosts", HOSTS)

    def _forget_statx(self) -> None:
        """Remove statx from the C library: QEMU's gives every mount the id 0, which systemd 257 believes."""
        library = Path("usr/lib/aarch64-linux-gnu/libc.so.6")
        code = (self.tree / library).read_bytes()
        assert code.count(STATX) == 1, library
        self._write(library, code.replace(STATX, NO_CALL))

    def _write(self, path: str | Path, content: bytes) -> None:
        target = self.layer / "changes" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def _make_key(self) -> None:
        if not self._key.exists():
            _check(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", self._key])

    def _wait_for_sshd(self, timeout: float) -> None:
        try:
            wait_for(self._sshd_answers, timeout)
        except AssertionError:
            journal = self.enter("journalctl", "--boot", "--no-pager", "--lines=200", timeout=60).stdout
            raise AssertionError(f"no sshd within {timeout:.0f} s:\n{self.log.read_text()}\n{journal}") from None

    def _sshd_answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=10) as client:
            return client.recv(4) == b"SSH-"
        return False


@contextlib.contextmanager
def _cgroup(name: str) -> Iterator[Path]:
    """Make a cgroup beside ours, and kill what is left in it at the end."""
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    mount = next(Path(fields[1]) for fields in mounts if fields[2] == "cgroup2")
    ours = next(line[4:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::/"))
    group = mount / ours / name
    group.mkdir()
    try:
        yield group
    finally:
        (group / "cgroup.kill").write_text("1")
        wait_for(lambda: "populated 0" in (group / "cgroup.events").read_text(), 30)
        for folder, _, _ in os.walk(group, topdown=False):
            Path(folder).rmdir()


def _finished(command: list[str | Path], timeout: float, input: str | None) -> subprocess.CompletedProcess[str]:
    given = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        command, text=True, errors="replace", capture_output=True, timeout=timeout, check=False, **given
    )


def _check(command: list[str | Path]) -> str:
    done = _finished(command, 60, None)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _pip_options() -> dict[str, str]:
    """Options of pip on this machine, from files and variables."""
    options: dict[str, str] = {}
    for line in _check([sys.executable, "-m", "pip", "config", "list"]).splitlines():  # variables come first
        name, _, value = line.partition("=")
        options.setdefault(name.rpartition(".")[2], ast.literal_eval(value))
    return options


def _proxies() -> list[str]:
    return [f"{name}={os.environ[name]}" for name in PROXIES if name in os.environ]
