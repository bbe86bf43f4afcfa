"""Modules that run in a Python process of their own, as this process would import them."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]  # the folder of this package: a checkout, or site-packages


def module_command(module: str, *arguments: str) -> list[str]:
    """`python -m MODULE ARGUMENTS`, which imports nothing from the current folder: that may belong to anybody."""
    return [sys.executable, "-P", "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """The environment of this process, in which such a process finds this package as well."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
