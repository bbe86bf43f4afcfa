"""The command `python -m benchmarks.arm.wheels DIR`: the wheels that pip installs on a Raspberry Pi, into a folder.

A Pi means here: Debian bookworm for arm64, with its own Python. What runs this may be anything.
"""

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from edge.command import run as run_command
from edge.errors import EdgeError

PROJECT = Path(__file__).parents[2]
PYTHON = "3.11"
GLIBC_MINOR = 36  # glibc 2.36
EXTRA = "onnx"  # for models of both formats
# Markers that a requirement asks, for pip itself would answer them for the machine that it runs on.
ENVIRONMENT = {
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
    """Install them."""
    p = argparse.ArgumentParser(prog="benchmarks.arm.wheels", description="Install what a Raspberry Pi would.")
    p.add_argument("folder", type=Path, metavar="DIR", help="where to")
    args = p.parse_args()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", args.folder, "--only-binary", ":all:"]
    target = ["--python-version", PYTHON, *(word for name in platforms() for word in ("--platform", name))]
    if subprocess.run([*pip, *target, *requirements(PROJECT / "pyproject.toml")], check=False).returncode:
        raise EdgeError(f"{args.folder}: pip can't install what a Raspberry Pi needs, for the reason above")
    return 0


def platforms() -> Iterator[str]:
    """The platforms whose wheels such a Pi takes, the best ones first."""
    yield from (f"manylinux_2_{minor}_aarch64" for minor in range(GLIBC_MINOR, 16, -1))
    yield "manylinux2014_aarch64"


def requirements(pyproject: Path) -> list[str]:
    """What the project needs there, with EXTRA, and without the markers that said so."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(line) for line in [*project["dependencies"], *project["optional-dependencies"][EXTRA]]]
    return [str(r).partition(";")[0].strip() for r in wanted if r.marker is None or r.marker.evaluate(ENVIRONMENT)]


if __name__ == "__main__":
    sys.exit(run_command(main))
