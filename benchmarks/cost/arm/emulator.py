"""A Raspberry Pi's userland in QEMU's user mode, with a plugin that counts instructions.

`make bench-arm` makes the tree that it needs:

    root/                   Debian bookworm's Python for arm64, unpacked and never installed
    site/                   the wheels of benchmarks.cost.arm.wheels
    count_instructions.so   the plugin, for the machine that counts
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.benchmark.subprocess_json import printed_json
from benchmarks.cost.arm.wheels import PROJECT, PYTHON
from edge.errors import EdgeError

QEMU = "qemu-aarch64"
OLDEST, NEWEST = (7, 2), (8, 2)  # with the plugin API of count_instructions.c
CORES = 4


@dataclass(frozen=True)
class Processor:
    """What Linux tells of it on its board. The native runtimes ask, and choose their kernels by the answer."""

    part: str
    variant: str
    revision: int
    features: str

    @property
    def cpuinfo(self) -> str:
        """The text of /proc/cpuinfo."""
        fields = {
            "Features": self.features,
            "CPU implementer": "0x41",
            "CPU architecture": "8",
            "CPU variant": self.variant,
            "CPU part": self.part,
            "CPU revision": self.revision,
        }
        core = "".join(f"{name}\t: {value}\n" for name, value in fields.items())
        return "\n".join(f"processor\t: {number}\n{core}" for number in range(CORES))


SIMD = "fp asimd evtstrm crc32 cpuid"
PROCESSORS = {
    "cortex-a53": Processor("0xd03", "0x0", 4, SIMD),  # Raspberry Pi 3 and Zero 2 W
    "cortex-a72": Processor("0xd08", "0x0", 3, SIMD),  # Raspberry Pi 4
    "cortex-a76": Processor(  # Raspberry Pi 5
        "0xd0b",
        "0x4",
        1,
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
    ),
}


class Emulator:
    """Runs this project's modules in a tree as one of PROCESSORS would, one module at a time.

    `audio` is where the tree has room for what they hear. It has one name, as the count has: others would move things
    in memory, and cost some instructions more or less.
    """

    def __init__(self, tree: Path, cpu: str) -> None:
        """Raise EdgeError for want of QEMU or of a part of the tree."""
        tree = tree.resolve()
        self._cpu = cpu
        self._root, self._site, self._plugin = tree / "root", tree / "site", tree / "count_instructions.so"
        self.audio, self._count = tree / "source.wav", tree / "count"
        self._python = self._root / "usr/bin" / f"python{PYTHON}"
        for part in (self._python, self._site, self._plugin):
            if not part.exists():
                raise EdgeError(f"{part}: isn't there; make bench-arm makes it")
        self._qemu = qemu()

    def run(self, module: str, *words: str) -> dict[str, Any]:
        """What a module prints as JSON; its last word is a file that holds the instructions counted up to now.

        Raise EdgeError, with the last line it said, if it fails or crashes.
        """
        cpuinfo = self._root / "proc/cpuinfo"  # QEMU would show that of the machine it runs on
        cpuinfo.parent.mkdir(exist_ok=True)
        cpuinfo.write_text(PROCESSORS[self._cpu].cpuinfo)
        self._count.unlink(missing_ok=True)
        emulator = [self._qemu, "-cpu", self._cpu, "-L", str(self._root)]
        plugin = ["-plugin", f"{self._plugin},count={self._count}"]
        command = [*emulator, *plugin, str(self._python), "-m", module, *words, str(self._count)]
        return printed_json(command, words[0], "the emulated process", self._environment())

    def _environment(self) -> dict[str, str]:
        """All of it: what else a user has set would change the count."""
        return {
            "PYTHONHOME": str(self._root / "usr"),
            "PYTHONPATH": f"{PROJECT}:{self._site}",
            "PYTHONHASHSEED": "0",  # the order of a set or dict costs some instructions more or less
            "OPENBLAS_NUM_THREADS": os.environ["OPENBLAS_NUM_THREADS"],  # which edge has set
        }


def qemu() -> str:
    """Where the emulator is. Raise EdgeError where there is none, or one that the plugin can't be loaded in."""
    found = shutil.which(QEMU)
    if found is None:
        raise EdgeError(f"{QEMU} isn't installed: apt-get install qemu-user")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"version (\d+)\.(\d+)", said)
    if version is None or not OLDEST <= (int(version[1]), int(version[2])) <= NEWEST:
        is_one = f"is version {version[1]}.{version[2]}" if version else "tells no version"
        raise EdgeError(f"{found} {is_one}; the counting plugin works in 7.2 (Debian bookworm's) to 8.2")
    return found
