"""A command in a process of its own: its JSON, or its last words as one sentence."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from edge.errors import EdgeError


def printed_json(
    command: Sequence[str], about: str, process: str = "its process", environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What a command prints as JSON, if anything. `about` and `process` name it in what goes wrong.

    Raise EdgeError, with the last line it said, if that fails or crashes.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode < 0:
        raise EdgeError(f"{about}: {process} crashed with signal {-done.returncode}")
    if done.returncode:
        last = (done.stderr.strip() or f"{process} failed without a word").splitlines()[-1]
        raise EdgeError(last.removeprefix("error: "))
    printed: dict[str, Any] = json.loads(done.stdout or "{}")
    return printed
