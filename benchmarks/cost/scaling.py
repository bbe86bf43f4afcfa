"""The command `python -m benchmarks.cost.scaling`: cost of listening against the hop, the streams and the hours.

Three series: the answers per second, the number of streams that one process listens to with one network, and the hours
that it has listened. Each point is a process of its own, on the same audio.
"""

import argparse
import importlib
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edge.audio.open import DEMO_CLIP
from edge.benchmark import SOURCE_RATE
from edge.benchmark.machine import this_machine
from edge.benchmark.measurement import END_TO_END, Measurement
from edge.benchmark.source import write_source
from edge.benchmark.suite import measure_in_process
from edge.cli.exit_status import run as run_command
from edge.cli.parser import make_parser
from edge.config import HOP_SECONDS
from edge.errors import UsageError
from edge.json_file import check_writable, write_json
from edge.model.load import SHIPPED_MODEL
from edge.table import format_table

HOPS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0)  # seconds
STREAMS = (1, 2, 4, 8, 12, 16)
HOURS = 24.0
POINT_SECONDS = 120.0  # of audio, for the first two series
MIN_HOURS = 0.1  # a part of it must be long enough for answers
PARTS = (1 / 24, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)  # of the hours
EXAMPLES = (("python -m benchmarks.cost.scaling --picture scaling.png", "takes a few minutes"),)


@dataclass(frozen=True)
class Point:
    """One process. `x` is its task: answers per second, streams or hours."""

    x: float
    cpu_ms: float  # per second of audio, of all streams together
    resident_mb: float | None


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    p = make_parser(
        "python -m benchmarks.cost.scaling",
        "Measure the cost of listening against the hop, the number of streams and the hours.",
        EXAMPLES,
        "benchmarks/README.md",
    )
    p.add_argument(
        "--model", type=Path, default=SHIPPED_MODEL, metavar="FILE", help="model file (default: the shipped model)"
    )
    p.add_argument(
        "--hours",
        type=float,
        default=HOURS,
        metavar="N",
        help=f"longest time, at most {HOURS:g} (default: %(default)g)",
    )
    p.add_argument("--picture", type=Path, metavar="FILE", help="draw the series to this .png or .svg file")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the series to this file")
    return p


def main() -> int:
    """Measure the three series, print them, and draw them."""
    args = parser().parse_args()
    if not MIN_HOURS <= args.hours <= HOURS:
        raise UsageError(f"--hours {args.hours:g}: must be from {MIN_HOURS:g} to {HOURS:g}")
    if args.picture:
        importlib.import_module("matplotlib")  # if it is missing, that is reported before minutes of measuring
    check_writable(args.json)
    machine = this_machine()
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder) / "source.wav"
        write_source(DEMO_CLIP, audio, POINT_SECONDS)

        def measure(hop_s: float, seconds: float, streams: int = 1) -> Measurement:
            arguments = [f"--hop={hop_s}", f"--seconds={seconds}", f"--streams={streams}"]
            return measure_in_process("benchmarks.cost.worker", str(args.model), str(audio), *arguments)

        series = {
            "answers a second": [point(1 / hop, measure(hop, POINT_SECONDS)) for hop in HOPS],
            "streams": [point(n, measure(HOP_SECONDS, POINT_SECONDS, n)) for n in STREAMS],
            "hours": [point(args.hours * part, measure(HOP_SECONDS, args.hours * part * 3600)) for part in PARTS],
        }
    print(f"{machine}\n{args.model}, source at {SOURCE_RATE} Hz\n")
    print("\n\n".join(series_table(name, points) for name, points in series.items()))
    if args.picture:
        draw(series, args.picture)
    lines = {name: [asdict(each) for each in points] for name, points in series.items()}
    write_json(args.json, {"machine": asdict(machine), "lines": lines})
    return 0


def point(x: float, m: Measurement) -> Point:
    """Point of a measurement."""
    resident = None if m.resident_bytes is None else m.resident_bytes / 1e6
    return Point(x, m.costs[END_TO_END].cpu_ms_per_audio_s, resident)


def fit_line(points: Sequence[Point]) -> tuple[float, float]:
    """Line by least squares: CPU ms at x = 0, and CPU ms for each unit of x."""
    slope, start = np.polyfit([p.x for p in points], [p.cpu_ms for p in points], 1)
    return float(start), float(slope)


def series_table(name: str, points: Sequence[Point]) -> str:
    """Points of a series as text, and the line through them."""
    start, slope = fit_line(points)
    rows = [(name, "CPU ms per s of audio", "resident MB")]
    rows += [
        (f"{p.x:.4g}", f"{p.cpu_ms:.3f}", "?" if p.resident_mb is None else f"{p.resident_mb:.1f}") for p in points
    ]
    return f"{format_table(rows, '>>>')}\nline: {start:.3f} ms + {slope:.4f} ms for each"


def draw(series: dict[str, list[Point]], path: Path) -> None:
    """Draw one panel for each series: the points, and the line by least squares."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axes, (name, points) in zip(figure.subplots(1, len(series)), series.items(), strict=True):
        start, slope = fit_line(points)
        xs = np.array([0.0, max(p.x for p in points)])
        axes.plot(xs, start + slope * xs, color="0.7", label=f"{start:.2f} + {slope:.3f} x")
        axes.plot([p.x for p in points], [p.cpu_ms for p in points], "o", label="CPU, ms per s of audio")
        axes.set(xlabel=name, ylim=(0, 1.35 * max(p.cpu_ms for p in points)))  # room for the legend
        if all(p.resident_mb is not None for p in points):
            memory = axes.twinx()
            memory.plot(
                [p.x for p in points], [p.resident_mb for p in points], "x", color="tab:red", label="resident, MB"
            )
            memory.set(ylim=(0, 2 * max(p.resident_mb for p in points if p.resident_mb)))
            memory.legend(loc="lower right", fontsize="small")
        axes.legend(loc="upper left", fontsize="small")
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    sys.exit(run_command(main, extra="bench"))
