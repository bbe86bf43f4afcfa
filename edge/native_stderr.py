"""Silence for native libraries that print to file descriptor 2 by themselves (libmpg123, TFLite, ALSA)."""

import os
import sys


def silence_native_stderr() -> None:
    """Send file descriptor 2 to /dev/null for the rest of the process; Python's `sys.stderr` keeps the original.

    For a command, which owns its process; the library never calls it. It is done once and not around each native
    call: file descriptors belong to the whole process, so a temporary swap loses what other threads print meanwhile,
    and two overlapping swaps may never be undone.
    """
    if sys.stderr is None:  # closed by the caller: nothing to keep
        return
    sys.stderr.flush()
    original = os.dup(2)
    sys.stderr = os.fdopen(original, "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
