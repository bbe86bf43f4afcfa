"""Commands in a mount namespace of their own."""

import subprocess
from pathlib import Path

from helpers.support import UNSHARE


def with_mount(mount: str, folder: Path) -> list[str]:
    """The beginning of a command that runs behind a mount; `mount` is a shell command, "$0" in it the folder."""
    command = [*UNSHARE, "sh", "-c", f'{mount} && exec "$@"', str(folder)]
    try:
        done = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise AssertionError("unshare is missing: apt install util-linux mount") from None
    assert done.returncode == 0, f"mounting needs root or user namespaces: {done.stderr}"
    return command
