"""The version of this package."""

import functools
import importlib.metadata


@functools.cache
def version() -> str:
    """The installed version, or "unknown" in a checkout that is not installed."""
    try:
        return importlib.metadata.version("edge-listen")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
