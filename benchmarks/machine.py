"""What a measurement was made on, so that two boards can be compared."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BOARD = Path("/proc/device-tree/model")
CPU_INFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


@dataclass(frozen=True)
class Machine:
    """The machine; None for what it doesn't tell."""

    board: str | None
    cpu: str | None
    architecture: str
    cores: int
    governor: str | None  # of the first core's clock
    load_average_1min: float  # before measuring: others at work make the worst hops worse
    system: str
    python: str
    numpy: str

    def __str__(self) -> str:
        parts = [
            *filter(None, (self.board, self.cpu)),
            f"{self.cores} cores {self.architecture}",
            f"governor {self.governor or 'unknown'}",
            f"load {self.load_average_1min:.1f}",
            f"Python {self.python}",
            f"numpy {self.numpy}",
        ]
        return ", ".join(parts)


def this_machine() -> Machine:
    """The one that this runs on."""
    return Machine(
        board=_first_line(BOARD),
        cpu=_cpu(),
        architecture=platform.machine(),
        cores=os.cpu_count() or 1,
        governor=_first_line(GOVERNOR),
        load_average_1min=os.getloadavg()[0],
        system=platform.platform(),
        python=platform.python_version(),
        numpy=np.__version__,
    )


def _cpu() -> str | None:
    """The CPU's name; 64-bit Arm kernels tell none."""
    if not CPU_INFO.exists():
        return platform.processor() or None
    names = [
        line.split(":", 1)[1].strip() for line in CPU_INFO.read_text().splitlines() if line.startswith("model name")
    ]
    return names[0] if names else None


def _first_line(path: Path) -> str | None:
    """The device tree ends its strings with a zero byte."""
    return path.read_text().strip("\0\n ") if path.exists() else None
