"""The machine of a measurement and its state, so that two boards can be compared."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BOARD = Path("/proc/device-tree/model")
CPU_INFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
FREQUENCY = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")  # kHz
TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")  # thousandths of a degree
VCGENCMD = "vcgencmd"  # of the Raspberry Pi; these are the bits of its get_throttled
THROTTLED = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "at its temperature limit",
    16: "under-voltage has occurred",
    17: "frequency capping has occurred",
    18: "throttling has occurred",
    19: "the temperature limit has been reached",
}


@dataclass(frozen=True)
class Machine:
    """Hardware, its state and the software; None for what the machine doesn't report."""

    board: str | None
    cpu: str | None
    architecture: str
    cores: int
    governor: str | None  # of the first core
    frequency_mhz: float | None  # of the first core, at this moment
    temperature_c: float | None
    throttling: tuple[str, ...] | None  # values of THROTTLED, since the board was started
    load_average_1min: float  # other programs make the worst hops worse
    system: str
    python: str
    numpy: str

    @property
    def identity(self) -> str:
        """Name of the board, else of the CPU, else the architecture."""
        return self.board or self.cpu or self.architecture

    @property
    def condition(self) -> str:
        """State that can make the same machine slower on another day."""
        temperature = "unknown" if self.temperature_c is None else f"{self.temperature_c:.1f} °C"
        throttling = "unknown" if self.throttling is None else ", ".join(self.throttling) or "none"
        return f"governor {self.governor or 'unknown'}, temperature {temperature}, throttling {throttling}"

    def __str__(self) -> str:
        parts = [
            *filter(None, (self.board, self.cpu)),
            f"{self.cores} cores {self.architecture}",
            self.condition,
            f"load {self.load_average_1min:.1f}",
            f"Python {self.python}",
            f"numpy {self.numpy}",
        ]
        return ", ".join(parts)


def this_machine() -> Machine:
    """Return this machine and its state now."""
    return Machine(
        board=_first_line(BOARD),
        cpu=_cpu(),
        architecture=platform.machine(),
        cores=os.cpu_count() or 1,
        governor=_first_line(GOVERNOR),
        frequency_mhz=_thousandths(FREQUENCY),
        temperature_c=_thousandths(TEMPERATURE),
        throttling=throttling(),
        load_average_1min=os.getloadavg()[0],
        system=platform.platform(),
        python=platform.python_version(),
        numpy=np.__version__,
    )


def throttling() -> tuple[str, ...] | None:
    """Reports of the Raspberry Pi's firmware on power supply and heat; None on other boards."""
    if shutil.which(VCGENCMD) is None:
        return None
    done = subprocess.run([VCGENCMD, "get_throttled"], capture_output=True, text=True, check=False)
    name, _, flags = done.stdout.strip().partition("=")
    if done.returncode or name != "throttled":
        return None  # the user is not in the group `video`
    return tuple(text for bit, text in THROTTLED.items() if int(flags, 16) >> bit & 1)


def _cpu() -> str | None:
    """Name of the CPU; 64-bit Arm kernels report none."""
    if not CPU_INFO.exists():
        return platform.processor() or None
    names = [
        line.split(":", 1)[1].strip() for line in CPU_INFO.read_text().splitlines() if line.startswith("model name")
    ]
    return names[0] if names else None


def _first_line(path: Path) -> str | None:
    """Text of a file of one line, None if it can't be read; the device tree ends its strings with a zero byte."""
    try:
        return path.read_text(errors="replace").strip("\0\n ")
    except OSError:  # there is none, or its driver doesn't answer
        return None


def _thousandths(path: Path) -> float | None:
    """Number that the kernel gives in thousandths; None if it can't be read, as with some drivers."""
    try:
        return float(path.read_text()) / 1000
    except (OSError, ValueError):
        return None
