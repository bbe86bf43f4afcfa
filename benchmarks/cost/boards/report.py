"""A report of edge-benchmark, read from the file that `--json` wrote, and checked for being complete."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.benchmark.machine import Machine
from edge.benchmark.measurement import END_TO_END, STAGES, Measurement
from edge.errors import EdgeError
from edge.strict_dataclass import build

# Keys of a report besides the fields of a Measurement: the first two follow from them, the others are not shown here.
REQUIRED = {"models": {"core_share", "keeps_up", "benchmark_model"}, "rivals": {"core_share", "keeps_up"}}
OPTIONAL = {"whole_command"}  # missing in reports of version 0.1


@dataclass(frozen=True)
class Machines:
    """One machine before and after the measurement, which heats it."""

    before: Machine
    after: Machine


@dataclass(frozen=True)
class Report:
    """Measurements of one run. Raises ValueError if a stage or the model is missing."""

    version: str | None  # of edge-listen; None if it was not installed
    machine: Machines
    audio: str
    audio_seconds: float
    source_rate_hz: int
    paced: bool
    models: tuple[Measurement, ...]
    rivals: tuple[Measurement, ...]  # competitors
    verdict: str

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("models is empty")
        for kind in REQUIRED:
            for i, measured in enumerate(getattr(self, kind)):
                for stage in (*STAGES, END_TO_END):
                    if stage not in measured.costs:
                        raise ValueError(f"{kind}[{i}].costs.{stage} is missing")


def read(path: Path) -> Report:
    """Read a report.

    Raises
    ------
    EdgeError
        If the file is not a complete report; the message names the field.
    OSError
        If the file can't be read.
    """
    try:
        return _report(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise EdgeError(f"{path}: not a report of edge-benchmark: {error}") from None


def _report(fields: object) -> Report:
    _check_text(fields)
    if not isinstance(fields, dict):
        raise ValueError(f"expected a JSON object, got {fields!r:.60}")
    for kind, required in REQUIRED.items():
        if isinstance(measured := fields.get(kind), list):
            fields[kind] = [_measurement(each, required, f"{kind}[{i}]") for i, each in enumerate(measured)]
    return build(Report, fields, "")


def _measurement(measured: Any, required: set[str], where: str) -> Any:
    """Fields of a Measurement alone; anything but a JSON object is left for `build` to refuse."""
    if not isinstance(measured, dict):
        return measured
    if missing := sorted(required - set(measured)):
        raise ValueError(f"{where}.{missing[0]} is missing")
    return {name: value for name, value in measured.items() if name not in required | OPTIONAL}


def _check_text(value: object) -> None:
    """Raise ValueError for text that would end a line or control a terminal: a report may come from anybody."""
    if isinstance(value, str) and not value.isprintable():
        raise ValueError(f"unprintable text: {value!a:.60}")
    for item in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_text(item)
