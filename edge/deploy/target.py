"""What a machine has told of itself, in words, and what can't work there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.deploy import layout
from edge.deploy.host import Host
from edge.errors import EdgeError

PROBE = Path(__file__).parent / "probe.py"
OLDEST_PYTHON = (3, 11)
NEWEST_32_BIT_PYTHON = (3, 11)  # tflite-runtime's last; its successor has no wheels for 32 bits
NOT_FOR_32_BITS = ("numpy", "cffi", "soxr")  # wheels that only piwheels has, where Raspberry Pi OS looks as well
MACHINES = ("aarch64", "x86_64", "armv7l", "armv8l")
# A release takes 120 MB and half as much again while pip unpacks it; the next one shares most files with it.
FIRST_BYTES, NEXT_BYTES = 250 << 20, 60 << 20
LEAST_MEMORY = 128 << 20  # listening takes 97 MB of it
PACKAGES = {"portaudio": "libportaudio2", "venv": "python3-venv"}  # Debian's, of what the probe looks for


@dataclass(frozen=True)
class Target:
    """What edge.deploy.probe prints."""

    board: str | None
    system: str
    markers: dict[str, str]
    bits: int
    glibc: str
    folder: str  # where files may be put for a while
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
    stranger: bool  # whether something else is where the releases would be
    release: dict[str, Any] | None  # the record of the one that runs
    config: str | None
    unit: str | None

    @property
    def python(self) -> tuple[int, int]:
        """Major and minor."""
        major, minor = self.markers["python_version"].split(".")
        return int(major), int(minor)

    @property
    def missing_packages(self) -> list[str]:
        """Those of PACKAGES that have to be installed first."""
        return [package for what, package in PACKAGES.items() if not getattr(self, what)]

    def __str__(self) -> str:
        parts = [
            self.board or "no board that tells its name",
            self.system,
            f"{self.bits}-bit {self.markers['platform_machine']}",
            f"Python {self.markers['python_full_version']}",
            f"{self.free_bytes / 1e9:.1f} GB free",
            f"{self.memory_bytes / 1e6:.0f} MB of memory, {self.free_memory_bytes / 1e6:.0f} free",
            *([f"{self.temperature_c:.0f} °C"] if self.temperature_c is not None else []),
            f"microphones: {', '.join(self.cards) or 'no sound card that records'}",
        ]
        return "; ".join(parts)


def look_over(host: Host) -> Target:
    """Ask a machine what it is, and how its user becomes root. Raise EdgeError where no Python answers."""
    told = host.run(
        "command -v python3 >/dev/null || { echo it has no python3 >&2; exit 1; }; python3 -", text=PROBE.read_text()
    )
    try:
        target = Target(**json.loads(told))
    except (ValueError, TypeError):
        raise EdgeError(f"{host.name}: says something else than what it was asked: {told:.80}") from None
    host.sudo = target.sudo
    return target


def hindrances(target: Target, offline: bool) -> Iterator[str]:
    """Why nothing can be deployed there: all reasons, each with what would help."""
    python, machine = target.python, target.markers["platform_machine"]
    version = ".".join(map(str, python))
    if python < OLDEST_PYTHON:
        yield f"Python {version} is too old: take an OS with 3.11 or newer, such as Raspberry Pi OS Bookworm"
    if target.bits == 32 and python > NEWEST_32_BIT_PYTHON:
        yield f"32-bit Python {version} has no TFLite runtime: take the 64-bit OS, or Bookworm with its Python 3.11"
    if target.bits == 32 and offline:
        yield f"PyPI has no 32-bit wheels of {' and '.join(NOT_FOR_32_BITS)}, so they can't be brought along"
    if machine not in MACHINES:
        yield f"there are no wheels for a {machine}: it has to be one of {', '.join(MACHINES)}"
    if not target.systemd:
        yield "systemd isn't running, which has to start the service"
    if target.sudo == "none":
        yield "its user isn't root and there is no sudo, which a service that starts at boot has to be installed by"
    if target.stranger:
        yield f"{layout.CURRENT} is none of edge-deploy's: move it away, it may be an environment made by hand"
    needed = NEXT_BYTES if target.release else FIRST_BYTES
    if target.free_bytes < needed:
        yield f"{target.free_bytes / 1e6:.0f} MB are free, and {needed / 1e6:.0f} MB are needed"
    if target.memory_bytes < LEAST_MEMORY:
        yield f"{target.memory_bytes / 1e6:.0f} MB of memory are too little: it has to have {LEAST_MEMORY / 1e6:.0f} MB"
    if target.missing_packages and (offline or not target.apt):
        why = "the machine is offline" if offline else "it has no apt"
        yield f"{' and '.join(target.missing_packages)} must be there already, for {why}"
