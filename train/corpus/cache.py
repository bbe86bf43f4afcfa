"""Arrays computed from audio files, kept on disk so that a second run only reads them."""

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
    """Folder of the cache below the user's cache folder (XDG base directory specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-listen" / "features"


def load_or_compute(
    path: Path, entry: Callable[[bytes], Path], shape: Shape, dtype: type, compute: Callable[[bytes], NDArray[Any]]
) -> NDArray[Any] | str:
    """Return the array of an audio file, from the cache if it is there.

    Parameters
    ----------
    path
        The audio file.
    entry
        Path of the cache entry for the file's bytes.
    shape, dtype
        Expected shape (None: any length) and type; an entry that differs is computed again.
    compute
        Array for the file's bytes; may raise BadClipError.

    Returns
    -------
    ndarray or str
        The array, or the reason why there is none.
    """
    try:
        content = path.read_bytes()
        array = read(entry(content), shape, dtype)
        if array is None:
            array = compute(content)
            write(entry(content), array)
        return array
    except BadClipError as error:
        return str(error)
    except OSError as error:
        return f"unreadable ({error.strerror})"


def read(entry: Path, shape: Shape, dtype: type) -> NDArray[Any] | None:
    """Array of a cache entry; None if it is missing, damaged, or of another shape or type."""
    try:
        array: NDArray[Any] = np.load(entry, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = len(array.shape) == len(shape) and all(n in (None, own) for n, own in zip(shape, array.shape, strict=True))
    return array if fits and array.dtype == dtype else None


def write(entry: Path, array: NDArray[Any]) -> None:
    """Write an entry atomically. Errors are ignored: a full disk costs the cache, not the run."""
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
