"""The table of hosts that edge-deploy prints for --status and for several hosts."""

from collections.abc import Sequence
from typing import Any

from edge.table import format_table

HEADER = ("host", "release", "model", "up", "state", "overruns", "lost s", "°C")


def host_table(reports: dict[str, dict[str, Any]], errors: dict[str, str]) -> str:
    """Lay out one line per host below a header.

    Parameters
    ----------
    reports : dict
        Name of each host that was reached, and its report as --json has it.
    errors : dict
        Names and errors of the hosts that failed.
    """
    rows: list[Sequence[str]] = [HEADER]
    for name in (*reports, *(name for name in errors if name not in reports)):
        rows.append((name, *cells(reports.get(name, {}), name in errors)))
    return format_table(rows, "<" * len(HEADER))


def cells(report: dict[str, Any], failed: bool) -> Sequence[str]:
    """Cells of a host after its name."""
    target = report.get("target", {})
    release = report.get("release", target.get("release")) or {}  # the current one, or the one that the probe found
    service = report.get("service", {})
    status = service.get("told") or {}
    state = service.get("text") or service.get("active") or "?"
    celsius = target.get("temperature_c")
    return (
        release.get("name", "-"),
        status.get("model") or release.get("model_name") or "-",
        duration(service["up_seconds"]) if service.get("pid") else "-",
        "failed" if failed else state,
        str(status.get("overruns", "-")),
        f"{status['lost']:.1f}" if "lost" in status else "0" if status else "-",
        "-" if celsius is None else f"{celsius:.0f}",
    )


def duration(seconds: float) -> str:
    """Format a duration with its two largest units."""
    days, rest = divmod(round(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
