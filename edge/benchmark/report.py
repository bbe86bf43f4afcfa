"""The results as JSON: the report that `--json` writes and that boards send."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from edge.benchmark.measurement import Measurement
from edge.benchmark.suite import Results
from edge.benchmark.tables import verdict
from edge.version import version


def report(results: Results, competitors: Sequence[Measurement] = ()) -> dict[str, Any]:
    """Make the JSON object of a report.

    Parameters
    ----------
    results
        Of the models.
    competitors
        Measurements of the competitors, if any; their key is "rivals", as in the reports of version 0.1.
    """
    conditions = results.conditions
    return {
        "version": None if version() == "unknown" else version(),
        "machine": {"before": asdict(results.before), "after": asdict(results.after)},
        "audio": conditions.audio.name,
        "audio_seconds": conditions.seconds,
        "source_rate_hz": conditions.rate,
        "paced": conditions.paced,
        "models": [
            {
                **_fields(result.measurement),
                "benchmark_model": result.network,
                "whole_command": asdict(result.command),
            }
            for result in results.models
        ],
        "rivals": [_fields(measurement) for measurement in competitors],
        "verdict": verdict(results.measurements, results.after),
    }


def _fields(measurement: Measurement) -> dict[str, Any]:
    return {**asdict(measurement), "core_share": measurement.core_share, "keeps_up": measurement.keeps_up}
