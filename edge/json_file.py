"""The file of `--json`: checked before minutes of work, written after them."""

import json
from pathlib import Path
from typing import Any


def check_writable(path: Path | None) -> None:
    """Raise OSError if a file can't be written. Its content stays as it is, and no empty file is left behind."""
    if path is None:
        return
    existed = path.exists()
    with path.open("a", encoding="utf-8"):
        pass
    if not existed:
        path.unlink()


def write_json(path: Path | None, report: dict[str, Any]) -> None:
    """Write a report, if a path was given."""
    if path is not None:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
