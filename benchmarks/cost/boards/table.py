"""Reports side by side, as text for a terminal."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.cost.boards.report import Report
from edge.benchmark.measurement import END_TO_END, Measurement
from edge.benchmark.tables import megabytes
from edge.table import format_table

COLUMNS = {  # and their alignment
    "board or CPU": "<",
    "cores": ">",
    "system": "<",
    "Python": "<",
    "runtime": "<",
    "model": "<",
    "audio": "<",
    "p50 ms": ">",
    "p95 ms": ">",
    "p99 ms": ">",
    "worst ms": ">",
    "CPU ms/s": ">",
    "of a core": ">",
    "resident MB": ">",
    "ready ms": ">",
    "keeps up": "<",
    "load": ">",
    "governor": "<",
    "°C": ">",
    "throttling": "<",
}
EXPLANATION = """
p50 to worst: of a hop, from its last sample to its answer. CPU ms/s: CPU time per second of audio.
Load: of other programs, before the measurement. Governor, °C and throttling: after it; ? means unknown."""


def table(reports: Sequence[Report]) -> str:
    """Make a table with one row for each report and model, and an explanation of the columns."""
    rows = [tuple(COLUMNS), *(row(report, measured) for report in reports for measured in report.models)]
    return f"{format_table(rows, ''.join(COLUMNS.values()))}\n{EXPLANATION}"


def row(report: Report, measured: Measurement) -> tuple[str, ...]:
    """Make a cell for each of COLUMNS."""
    machine, cost = report.machine.after, measured.costs[END_TO_END]
    pace = ", in real time" if report.paced else ""
    return (
        machine.identity,
        str(machine.cores),
        machine.system,
        machine.python,
        measured.runtime,
        f"{Path(measured.model).name}, {measured.format}",
        f"{report.audio_seconds:g} s, {report.source_rate_hz} Hz, hop {measured.hop_s:g} s{pace}",
        f"{cost.p50_ms:.3f}",
        f"{cost.p95_ms:.3f}",
        f"{cost.p99_ms:.3f}",
        f"{cost.worst_ms:.3f}",
        f"{cost.cpu_ms_per_audio_s:.3f}",
        f"{measured.core_share:.2%}",
        megabytes(measured.resident_bytes),
        f"{measured.ready_ms:.0f}",
        "yes" if measured.keeps_up else "no",
        f"{report.machine.before.load_average_1min:.1f}",
        machine.governor or "?",
        "?" if machine.temperature_c is None else f"{machine.temperature_c:.1f}",
        "?" if machine.throttling is None else ", ".join(machine.throttling) or "none",
    )
