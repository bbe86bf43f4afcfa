"""Which version of this package is running."""

import functools
import importlib.metadata


@functools.cache
def version() -> str:
    """As installed; "unknown" where it runs from a directory."""
    try:
        return importlib.metadata.version("edge-listen")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
