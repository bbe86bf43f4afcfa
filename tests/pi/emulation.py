"""Registers QEMU with binfmt_misc, so that programs for Arm run on this machine. Needs root.

    python emulation.py QEMU COMMAND...

Debian's own entry (qemu-user-static, update-binfmts) ignores setuid bits, so that sudo fails, and bookworm's QEMU 7.2
can't start systemd 257. This entry, with the QEMU 10 of trixie, exists as long as the command runs.
"""

import contextlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

BINFMT = Path("/proc/sys/fs/binfmt_misc")
# An ELF file, little-endian, executable or shared; {0} is its class (32 or 64 bits), {1} its processor.
MAGIC = r"\x7fELF\x{0:02x}\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x{1:02x}\x00"
MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
RUNS = {"qemu-aarch64": (2, 183), "qemu-arm": (1, 40)}
# F: open the emulator now, because a tree has none; P: pass the program's name; O, C: open it, and respect setuid bits.
FLAGS = "FPOC"


@contextlib.contextmanager
def emulation(qemu: Path) -> Iterator[None]:
    """Register an emulator while the context is active; the kernel asks the newest entry first.

    Entries left behind by killed processes are removed.

    `qemu` is a file with one of the names in RUNS.
    """
    if platform.machine() == "aarch64":
        yield
        return
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT], check=True)
    for left in BINFMT.glob("edge-listen-*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            left.write_text("-1")
    entry = BINFMT / f"edge-listen-{os.getpid()}-{os.urandom(4).hex()}"
    (BINFMT / "register").write_text(f":{entry.name}:M::{MAGIC.format(*RUNS[qemu.name])}:{MASK}:{qemu}:{FLAGS}")
    try:
        yield
    finally:
        entry.write_text("-1")


if __name__ == "__main__":
    with emulation(Path(sys.argv[1])):
        sys.exit(subprocess.run(sys.argv[2:], check=False).returncode)
