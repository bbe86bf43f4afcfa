"""The command `python -m benchmarks.cost.arm.wheels DIR`: install what pip installs on a Raspberry Pi into a folder.

A Pi is here Debian bookworm for arm64 with its own Python. The command runs on any machine.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from edge.cli.exit_status import run as run_command
from edge.deploy.package import own_wheel
from edge.deploy.wheels import fetch, pip_target
from edge.errors import EdgeError

PROJECT = Path(__file__).parents[3]
PYTHON = "3.11"
GLIBC = "2.36"
EXTRAS = frozenset({"onnx"})  # for models of both formats
MARKERS = {
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.2",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "aarch64",
}


def main() -> int:
    """Install the wheels."""
    p = argparse.ArgumentParser(
        prog="benchmarks.cost.arm.wheels", description="Install what pip installs on a Raspberry Pi."
    )
    p.add_argument("folder", type=Path, metavar="DIR", help="folder to install into")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        wheels = fetch(own_wheel(Path(scratch)), EXTRAS, MARKERS, GLIBC, Path(scratch) / "wheels")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(args.folder)]
        if subprocess.run([*pip, *pip_target(MARKERS, GLIBC), *wheels], check=False).returncode:
            raise EdgeError(f"{args.folder}: pip failed to install the wheels of a Raspberry Pi, see above")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
