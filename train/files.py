"""Files that appear complete or not at all, and errors of the disk as one sentence."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.errors import EdgeError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path with the suffix of `path`; it replaces `path` if the block succeeds."""
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")


@contextmanager
def write_errors(folder: Path) -> Iterator[None]:
    """Turn an OSError while writing below `folder` into an EdgeError of one sentence."""
    try:
        yield
    except OSError as error:
        # h5py reports a full disk without an errno of its own.
        if error.errno == errno.ENOSPC or "No space left" in str(error):
            raise EdgeError(f"no space left for the run folder {folder}; free some and start again") from None
        raise EdgeError(f"cannot write the run folder {folder}: {error.strerror or error}") from None
