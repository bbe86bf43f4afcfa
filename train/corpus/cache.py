"""Arrays kept on disk, so that what was computed of a file once is only read again."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.corpus.audio import BadClipError

Shape = tuple[int | None, ...]


def default_folder() -> Path:
    """Where they are kept: the user's cache folder, as the XDG base directory specification has it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-listen" / "features"


def of_file(
    path: Path, entry: Callable[[bytes], Path], shape: Shape, dtype: type, compute: Callable[[bytes], NDArray[Any]]
) -> NDArray[Any] | str:
    """What `compute` makes of a file's bytes, kept under the `entry` that they have; or why there is nothing of it."""
    try:
        content = path.read_bytes()
        kept = read(entry(content), shape, dtype)
        if kept is None:
            kept = compute(content)
            write(entry(content), kept)
        return kept
    except BadClipError as error:
        return str(error)
    except OSError as error:
        return f"unreadable ({error.strerror})"


def read(entry: Path, shape: Shape, dtype: type) -> NDArray[Any] | None:
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
