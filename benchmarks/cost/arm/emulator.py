"""A Raspberry Pi's userland in QEMU's user mode, with a plugin that counts instructions.

`make bench-arm` makes the tree that it needs:

    root/                   Debian bookworm's Python for arm64, unpacked, not installed
    site/                   the wheels of benchmarks.cost.arm.wheels
    count_instructions.so   the plugin, for the machine that counts
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cost.arm.wheels import PROJECT, PYTHON
from edge.benchmark.subprocess_json import ONE_BLAS_THREAD, printed_json
from edge.errors import EdgeError

QEMU = "qemu-aarch64"
OLDEST, NEWEST = (7, 2), (8, 2)  # with the plugin API of count_instructions.c
CORES = 4


@dataclass(frozen=True)
class Processor:
    """Description of a processor by Linux on its board; the native runtimes read it to choose their kernels."""

    part: str
    variant: str
    revision: int
    features: str

    @property
    def cpuinfo(self) -> str:
        """Text of /proc/cpuinfo."""
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

    `audio` is the path for the audio that they process. Its name is fixed, like that of the count: another name would
    move things in memory and change the count by a few instructions.
    """

    def __init__(self, tree: Path, cpu: str) -> None:
        """Raise EdgeError if QEMU or a part of the tree is missing."""
        tree = tree.resolve()
        self._cpu = cpu
        self._root, self._site, self._plugin = tree / "root", tree / "site", tree / "count_instructions.so"
        self.audio, self._count = tree / "source.wav", tree / "count"
        self._python = self._root / "usr/bin" / f"python{PYTHON}"
        for part in (self._python, self._site, self._plugin):
            if not part.exists():
                raise EdgeError(f"{part}: not found; make bench-arm makes it")
        self._qemu = qemu()

    def run(self, module: str, *arguments: str) -> dict[str, Any]:
        """Run a module and return the JSON that it prints.

        Parameters
        ----------
        module
            Module of this project.
        *arguments
            Its arguments; the file that holds the number of instructions up to now is added as the last one.

        Raises
        ------
        EdgeError
            If the module fails or crashes, with the last line that it wrote.
        """
        cpuinfo = self._root / "proc/cpuinfo"  # QEMU would show that of the host
        cpuinfo.parent.mkdir(exist_ok=True)
        cpuinfo.write_text(PROCESSORS[self._cpu].cpuinfo)
        self._count.unlink(missing_ok=True)
        emulator = [self._qemu, "-cpu", self._cpu, "-L", str(self._root)]
        plugin = ["-plugin", f"{self._plugin},count={self._count}"]
        command = [*emulator, *plugin, str(self._python), "-m", module, *arguments, str(self._count)]
        return printed_json(command, arguments[0], "the emulated process", environment=self._environment())

    def _environment(self) -> dict[str, str]:
        """Whole environment: other variables of the user would change the count."""
        return {
            "PYTHONHOME": str(self._root / "usr"),
            "PYTHONPATH": f"{PROJECT}:{self._site}",
            "PYTHONHASHSEED": "0",  # the order of a set changes the count by a few instructions
            **ONE_BLAS_THREAD,
        }


def qemu() -> str:
    """Path of the emulator. Raise EdgeError if there is none, or if it can't load the plugin."""
    found = shutil.which(QEMU)
    if found is None:
        raise EdgeError(f"{QEMU} is not installed: apt-get install qemu-user")
    output = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"version (\d+)\.(\d+)", output)
    if version is None or not OLDEST <= (int(version[1]), int(version[2])) <= NEWEST:
        actual = f"is version {version[1]}.{version[2]}" if version else "reports no version"
        raise EdgeError(f"{found} {actual}; the counting plugin works in 7.2 (Debian bookworm) to 8.2")
    return found
