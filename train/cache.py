"""Arrays kept on disk, so that what was computed of a file once is only read again."""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def default_folder() -> Path:
    """Where they are kept: the user's cache folder, as the XDG base directory specification has it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-listen" / "features"


def read(entry: Path, shape: tuple[int | None, ...], dtype: type = np.float32) -> NDArray[Any] | None:
    """The array of an entry; None where it is missing or damaged. A None in `shape` stands for any length."""
    try:
        array: NDArray[Any] = np.load(entry, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = len(array.shape) == len(shape) and all(n in (None, own) for n, own in zip(shape, array.shape, strict=True))
    return array if fits and array.dtype == dtype else None


def write(entry: Path, array: NDArray[Any]) -> None:
    """Keep an array under a name that appears only when it is complete; a full disk only costs the cache."""
    temporary = None
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=entry.parent, suffix=".tmp", delete=False) as file:
            temporary = Path(file.name)
            np.save(file, array)
        temporary.replace(entry)
    except OSError:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
