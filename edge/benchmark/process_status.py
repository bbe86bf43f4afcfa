"""Memory and threads of this process, as Linux reports them."""

from pathlib import Path

PROCESS_STATUS = Path("/proc/self/status")


def process_status() -> dict[str, int]:
    """Memory in bytes (VmRSS, VmHWM) and number of Threads; empty on a system without /proc."""
    if not PROCESS_STATUS.exists():
        return {}
    fields = dict(line.split(":", 1) for line in PROCESS_STATUS.read_text().splitlines())
    memory = {name: int(fields[name].removesuffix("kB")) * 1024 for name in ("VmRSS", "VmHWM")}
    return {**memory, "Threads": int(fields["Threads"])}
