"""Comparison with what a command printed when its output was recorded, in the folder recorded/.

`GOLDEN_RECORD=1 python -m pytest tests/golden` writes the files again; `git diff` then shows what changed for users.
"""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded"
RECORD = bool(os.environ.get("GOLDEN_RECORD"))
PROBABILITIES = {"confidence", "top", "edge_listen_confidence"}
TOLERANCE = 1e-3  # of a probability: processors differ in the 7th decimal, which rounding to 4 places may show

Parse = Callable[[str], Any]


def check(name: str, text: str, parse: Parse = str.splitlines) -> None:
    """Assert that the text equals the recorded one, probabilities within TOLERANCE and everything else exactly.

    `parse` makes of both texts what is compared; objects are equal if their keys come in the same order.
    """
    path = RECORDED / name
    if RECORD:
        path.write_text(text, encoding="utf-8")
    found = list(differences(parse(path.read_text(encoding="utf-8")), parse(text)))
    assert not found, f"not as recorded in {name}:\n" + "\n".join(found)


def json_lines(text: str) -> list[Any]:
    """One JSON value a line. The sentences of `note` are for persons: only their presence counts."""
    return [json.loads(line, object_hook=_hide_note) for line in text.splitlines()]


def as_json_lines(values: Iterable[object]) -> str:
    """The text that `json_lines` reads."""
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def csv_rows(text: str) -> list[dict[str, Any]]:
    """The rows of a table with a header, their confidence as a number."""
    return [{**row, "confidence": float(row["confidence"])} for row in csv.DictReader(text.splitlines())]


def metrics(text: str) -> list[Any]:
    """Prometheus' text format: comments as they are, samples as {name and labels: value}."""
    lines = (line if line.startswith("#") else line.rpartition(" ") for line in text.splitlines())
    return [line if isinstance(line, str) else {line[0]: _number(line[2])} for line in lines]


def differences(recorded: Any, actual: Any, where: str = "", near: bool = False) -> Iterator[str]:
    """Descriptions of what differs between two values as JSON has them."""
    if type(recorded) is not type(actual):
        yield f"{where}: {recorded!r} is now {actual!r}"
    elif isinstance(recorded, dict) and list(recorded) == list(actual):
        for key, value in recorded.items():
            yield from differences(value, actual[key], f"{where}.{key}", near or key in PROBABILITIES)
    elif isinstance(recorded, list) and len(recorded) == len(actual):
        for index, (one, other) in enumerate(zip(recorded, actual, strict=True)):
            yield from differences(one, other, f"{where}[{index}]", near)
    elif recorded != actual and not (near and isinstance(recorded, float) and abs(recorded - actual) <= TOLERANCE):
        yield f"{where}: {recorded!r} is now {actual!r}"


def _hide_note(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "note": "…"} if fields.get("note") else fields


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
