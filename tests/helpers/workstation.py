"""Leave out test files that import the packages of a workstation (TensorFlow, librosa, …) where they are not wanted.

These files say so in one place, `pytestmark = pytest.mark.workstation`. A marker alone deselects tests after their file
was imported, which fails without the packages and takes seconds with them. So the hook below reads the marker from the
text of a file and ignores the file if `-m` deselects the marker, or if it does not mention it and TensorFlow is
missing. With `-m workstation` every file is imported: a missing package is an error then.
"""

import importlib.util
import re
from pathlib import Path

import pytest

MARKER = "workstation"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Hook for a conftest.py; it holds for the folder of that file."""
    if collection_path.suffix != ".py" or f"mark.{MARKER}" not in collection_path.read_text(encoding="utf-8"):
        return None
    expression = config.getoption("markexpr")
    if expression and not any(selects(expression, {MARKER, *others}) for others in ((), ("slow",))):
        return True
    return True if MARKER not in expression and importlib.util.find_spec("tensorflow") is None else None


def selects(expression: str, markers: set[str]) -> bool:
    """Return True if `-m expression` selects a test with these markers."""
    operators = {"not", "and", "or"}
    truth = re.sub(r"\w+", lambda m: m[0] if m[0] in operators else str(m[0] in markers), expression)
    return bool(eval(truth))
