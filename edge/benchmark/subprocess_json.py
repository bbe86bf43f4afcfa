"""JSON from a module that runs in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.errors import EdgeError
from edge.python_module import module_command, module_environment
from edge.subprocess_error import failure_reason

# numpy's BLAS would start one thread per core for one small product per hop: twice the CPU time for nothing.
ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def module_json(module: str, *arguments: str) -> dict[str, Any]:
    """JSON that `python -m MODULE ARGUMENTS` prints in a fresh process, with one BLAS thread unless the user set more.

    Parameters
    ----------
    module
        Module to run with this Python.
    *arguments
        Its arguments; the first one names the process in an error.

    Returns
    -------
    The JSON object that it printed; an empty one if it printed nothing.

    Raises
    ------
    EdgeError
        If the process fails or crashes, with the last line that it wrote.
    """
    environment = {**ONE_BLAS_THREAD, **module_environment()}
    return printed_json(module_command(module, *arguments), f"{module} {arguments[0]}", environment=environment)


def run_module(main: Callable[[], int]) -> None:
    """Run the main function of such a module, and exit; an EdgeError becomes the last line of standard error."""
    try:
        sys.exit(main())
    except EdgeError as error:
        sys.exit(f"error: {error}")


def printed_json(
    command: Sequence[str], about: str, process: str = "its process", *, environment: Mapping[str, str]
) -> dict[str, Any]:
    """JSON object that a command prints. `about` and `process` name it in an error.

    Raises
    ------
    EdgeError
        If the command fails or crashes, with the last line that it wrote.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        reason = failure_reason(done, process)
        raise EdgeError(reason if done.returncode > 0 else f"{about}: {reason}")
    printed: dict[str, Any] = json.loads(done.stdout or "{}")
    return printed
