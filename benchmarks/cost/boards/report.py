"""A report of benchmarks.latency, read from the file that `--json` wrote: all of it, or a sentence why not."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.benchmark.machine import Machine
from edge.benchmark.measurement import END_TO_END, STAGES, Measurement
from edge.errors import EdgeError
from edge.fields import build

# What a report has beside the fields of a Measurement: the first two follow from them, the third isn't shown here.
BESIDE = {"models": {"core_share", "keeps_up", "benchmark_model"}, "rivals": {"core_share", "keeps_up"}}


@dataclass(frozen=True)
class Machines:
    """One machine at two times: it gets warm by the measurement."""

    before: Machine
    after: Machine


@dataclass(frozen=True)
class Report:
    """What one run has measured. Raise ValueError for a stage or a model that is missing."""

    version: str | None  # of edge-listen; None where it wasn't installed
    machine: Machines
    audio: str
    audio_seconds: float
    source_rate_hz: int
    paced: bool
    models: tuple[Measurement, ...]
    rivals: tuple[Measurement, ...]
    verdict: str

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("models is empty")
        for kind in BESIDE:
            for i, measured in enumerate(getattr(self, kind)):
                for stage in (*STAGES, END_TO_END):
                    if stage not in measured.costs:
                        raise ValueError(f"{kind}[{i}].costs.{stage}: is missing")


def read(path: Path) -> Report:
    """Raise EdgeError, in one sentence with the field, for a file that isn't a whole report; OSError for none."""
    try:
        return _report(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise EdgeError(f"{path}: is no report of benchmarks.latency: {error}") from None


def _report(fields: object) -> Report:
    _check_text(fields)
    if not isinstance(fields, dict):
        raise ValueError(f"it is {fields!r:.60}, which is no JSON object")
    for kind, beside in BESIDE.items():
        if isinstance(measured := fields.get(kind), list):
            fields[kind] = [_own(each, beside, f"{kind}[{i}]") for i, each in enumerate(measured)]
    return build(Report, fields, "")


def _own(measured: Any, beside: set[str], where: str) -> Any:
    """The fields of a Measurement alone; what is no JSON object is left for `build` to refuse."""
    if not isinstance(measured, dict):
        return measured
    if missing := sorted(beside - set(measured)):
        raise ValueError(f"{where}.{missing[0]}: is missing")
    return {name: value for name, value in measured.items() if name not in beside}


def _check_text(value: object) -> None:
    """Raise ValueError for text that would end a line or steer a terminal: a report may come from anybody."""
    if isinstance(value, str) and not value.isprintable():
        raise ValueError(f"it holds text that can't be shown: {value!a:.60}")
    for item in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_text(item)
