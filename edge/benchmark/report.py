"""The results as JSON: the report that `--json` writes and that boards send."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from edge.benchmark.measurement import Measurement
from edge.benchmark.suite import Results, fields
from edge.benchmark.tables import verdict
from edge.outputs.version import version


def report(results: Results, competitors: Sequence[Measurement] = ()) -> dict[str, Any]:
    """Make a JSON object of the results, and of what was compared with."""
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
                **fields(result.measurement),
                "benchmark_model": result.network,
                "whole_command": asdict(result.command),
            }
            for result in results.models
        ],
        "rivals": [fields(measurement) for measurement in competitors],
        "verdict": verdict(results.measurements, results.after),
    }
