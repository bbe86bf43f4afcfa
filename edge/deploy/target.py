"""Facts about a machine, as the probe reports them, and the reasons that nothing can be deployed there."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.deploy import layout
from edge.deploy.host import Host
from edge.deploy.shell import script
from edge.errors import EdgeError

PROBE = Path(__file__).parent / "probe.py"
OLDEST_PYTHON = (3, 11)
NEWEST_32_BIT_PYTHON = (3, 11)  # the last of tflite-runtime; its successor has no wheels for 32 bits
NOT_FOR_32_BITS = ("numpy", "cffi", "soxr")  # wheels that only piwheels has, which Raspberry Pi OS also looks at
MACHINES = ("aarch64", "x86_64", "armv7l", "armv8l")
# A release takes 120 MB and half as much again while pip unpacks it; the next one shares most files with it.
FIRST_BYTES, NEXT_BYTES = 250 << 20, 60 << 20
MIN_MEMORY = 128 << 20  # listening takes 97 MB of it
PACKAGES = {"portaudio": "libportaudio2", "venv": "python3-venv"}  # Debian packages of what the probe looks for


@dataclass(frozen=True)
class Target:
    """A machine, as edge.deploy.probe describes it."""

    board: str | None
    system: str
    markers: dict[str, str]
    bits: int
    glibc: str
    folder: str  # for uploads, while deploying
    sudo: str
    systemd: bool
    apt: bool
    portaudio: bool
    venv: bool
    free_bytes: int
    memory_bytes: int
    free_memory_bytes: int
    temperature_c: float | None
    cards: list[str]
    foreign_install: bool  # True if the link to the current release is a folder, which edge-deploy did not make
    release: dict[str, Any] | None  # record of the current release
    config: str | None
    unit: str | None

    @property
    def python(self) -> tuple[int, int]:
        """Major and minor version of its Python."""
        major, minor = self.markers["python_version"].split(".")
        return int(major), int(minor)

    @property
    def missing_packages(self) -> list[str]:
        """Those of PACKAGES that have to be installed first."""
        return [package for field, package in PACKAGES.items() if not getattr(self, field)]

    def to_dict(self) -> dict[str, Any]:
        """Fields as the report of --json has them."""
        fields = dataclasses.asdict(self)
        return {{"foreign_install": "stranger"}.get(name, name): value for name, value in fields.items()}

    def __str__(self) -> str:
        parts = [
            self.board or "unknown board",
            self.system,
            f"{self.bits}-bit {self.markers['platform_machine']}",
            f"Python {self.markers['python_full_version']}",
            f"{self.free_bytes / 1e9:.1f} GB of disk free",
            f"{self.memory_bytes / 1e6:.0f} MB of memory, {self.free_memory_bytes / 1e6:.0f} MB free",
            *([f"{self.temperature_c:.0f} °C"] if self.temperature_c is not None else []),
            f"microphones: {', '.join(self.cards) or 'none'}",
        ]
        return "; ".join(parts)


def probe(host: Host) -> Target:
    """Run the probe on a machine, and tell the host how its user becomes root.

    Raises EdgeError if the machine has no Python or its reply is not understood.
    """
    run_probe = script(
        "command -v python3 > /dev/null || { echo python3 is not installed there >&2; exit 1; }; python3 -"
    )
    reply = host.run(run_probe, stdin=PROBE.read_bytes())
    try:
        target = Target(**json.loads(reply))
    except (ValueError, TypeError):
        raise EdgeError(f"{host.name}: unexpected reply from the probe: {' '.join(reply.split()):.80}") from None
    host.sudo = target.sudo
    return target


def blockers(target: Target, offline: bool) -> Iterator[str]:
    """Yield every reason that nothing can be deployed there, each with what would help."""
    python, machine = target.python, target.markers["platform_machine"]
    version = ".".join(map(str, python))
    if python < OLDEST_PYTHON:
        yield f"Python {version} is too old: use an OS with 3.11 or newer, such as Raspberry Pi OS Bookworm"
    if target.bits == 32 and python > NEWEST_32_BIT_PYTHON:
        yield f"no TFLite runtime for 32-bit Python {version}: use the 64-bit OS, or Bookworm with its Python 3.11"
    if target.bits == 32 and offline:
        yield f"--offline is not possible with 32 bits: PyPI has no 32-bit wheels of {' and '.join(NOT_FOR_32_BITS)}"
    if machine not in MACHINES:
        yield f"there are no wheels for {machine}: the machine must be one of {', '.join(MACHINES)}"
    if not target.systemd:
        yield "systemd is not running, and the service needs it"
    if target.sudo == "none":
        yield "the user is not root and sudo is missing; installing a system service needs one of them"
    if target.foreign_install:
        yield f"{layout.CURRENT} was not made by edge-deploy: move it away, it may be an environment made by hand"
    needed = NEXT_BYTES if target.release else FIRST_BYTES
    if target.free_bytes < needed:
        yield f"not enough disk: {target.free_bytes / 1e6:.0f} MB are free, {needed / 1e6:.0f} MB are needed"
    if target.memory_bytes < MIN_MEMORY:
        yield f"not enough memory: {target.memory_bytes / 1e6:.0f} MB, at least {MIN_MEMORY / 1e6:.0f} MB are needed"
    if target.missing_packages and (offline or not target.apt):
        reason = "the deployment is offline" if offline else "the machine has no apt"
        yield f"{' and '.join(target.missing_packages)} must be installed already, because {reason}"
