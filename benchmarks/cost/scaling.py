"""The command `python -m benchmarks.cost.scaling`: what listening costs against what is asked of it.

Three lines: the hop, the number of streams that one process hears with one network, and the hours it has listened.
Each point is a process of its own (edge.benchmark.worker), on the same audio.
"""

import argparse
import importlib
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.latency import SOURCE_RATE, measure_apart, write_source
from edge.benchmark.machine import this_machine
from edge.benchmark.measurement import END_TO_END, Measurement
from edge import HOP_SECONDS
from edge.command import run as run_command
from edge.errors import UsageError
from edge.listen import DEMO
from edge.model import SHIPPED

HOPS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0)  # seconds
STREAMS = (1, 2, 4, 8, 12, 16)
HOURS = 24.0
POINT_SECONDS = 120.0  # of audio, for the first two lines
LEAST_HOURS = 0.1  # a part of it has to be long enough for answers
PARTS = (1 / 24, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)  # of the hours


@dataclass(frozen=True)
class Point:
    """One process. `x` is what it was asked for: answers a second, streams or hours."""

    x: float
    cpu_ms: float  # per second of audio, of all streams together
    resident_mb: float | None


def main() -> int:
    """Measure the three lines, print them, and draw them."""
    p = argparse.ArgumentParser(prog="benchmarks.cost.scaling", description="Measure what listening costs against its task.")
    p.add_argument("--model", type=Path, default=SHIPPED, metavar="FILE", help="the model (the shipped one)")
    p.add_argument("--hours", type=float, default=HOURS, metavar="N", help=f"the longest time, up to {HOURS:g} (that)")
    p.add_argument("--picture", type=Path, metavar="FILE", help="where to draw them, .png or .svg")
    p.add_argument("--json", type=Path, metavar="FILE", help="where to write them")
    args = p.parse_args()
    if not LEAST_HOURS <= args.hours <= HOURS:
        raise UsageError(f"--hours {args.hours:g}: has to be from {LEAST_HOURS:g} to {HOURS:g}")
    if args.picture:
        importlib.import_module("matplotlib")  # its want is said before minutes of measuring
    machine = this_machine()
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder) / "source.wav"
        write_source(DEMO, audio, POINT_SECONDS)

        def measure(hop_s: float, seconds: float, streams: int = 1) -> Measurement:
            words = [f"--hop={hop_s}", f"--seconds={seconds}", f"--streams={streams}"]
            return measure_apart(str(args.model), str(audio), *words)

        lines = {
            "answers a second": [point(1 / hop, measure(hop, POINT_SECONDS)) for hop in HOPS],
            "streams": [point(n, measure(HOP_SECONDS, POINT_SECONDS, n)) for n in STREAMS],
            "hours": [point(args.hours * part, measure(HOP_SECONDS, args.hours * part * 3600)) for part in PARTS],
        }
    print(f"{machine}\n{args.model}, source at {SOURCE_RATE} Hz\n")
    print("\n\n".join(said(name, points) for name, points in lines.items()))
    if args.picture:
        draw(lines, args.picture)
    if args.json:
        report = {"machine": asdict(machine), "lines": {n: [asdict(q) for q in points] for n, points in lines.items()}}
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def point(x: float, m: Measurement) -> Point:
    """What of a measurement is drawn."""
    resident = None if m.resident_bytes is None else m.resident_bytes / 1e6
    return Point(x, m.costs[END_TO_END].cpu_ms_per_audio_s, resident)


def line(points: Sequence[Point]) -> tuple[float, float]:
    """Least squares: CPU ms at x = 0, and CPU ms a unit of x."""
    slope, start = np.polyfit([q.x for q in points], [q.cpu_ms for q in points], 1)
    return float(start), float(slope)


def said(name: str, points: Sequence[Point]) -> str:
    """The points of a line as text, and the line through them."""
    start, slope = line(points)
    rows = [f"{name:>16}  CPU ms per s of audio  resident MB"]
    rows += [
        f"{q.x:16.4g}  {q.cpu_ms:21.3f}  {'?' if q.resident_mb is None else f'{q.resident_mb:11.1f}'}" for q in points
    ]
    rows.append(f"line: {start:.3f} ms + {slope:.4f} ms for each")
    return "\n".join(rows)


def draw(lines: dict[str, list[Point]], path: Path) -> None:
    """A panel a line: the points, and what least squares makes of them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axes, (name, points) in zip(figure.subplots(1, len(lines)), lines.items(), strict=True):
        start, slope = line(points)
        xs = np.array([0.0, max(q.x for q in points)])
        axes.plot(xs, start + slope * xs, color="0.7", label=f"{start:.2f} + {slope:.3f} x")
        axes.plot([q.x for q in points], [q.cpu_ms for q in points], "o", label="CPU, ms per s of audio")
        axes.set(xlabel=name, ylim=(0, 1.35 * max(q.cpu_ms for q in points)))  # room for the legend
        if all(q.resident_mb is not None for q in points):
            memory = axes.twinx()
            memory.plot(
                [q.x for q in points], [q.resident_mb for q in points], "x", color="tab:red", label="resident, MB"
            )
            memory.set(ylim=(0, 2 * max(q.resident_mb for q in points if q.resident_mb)))
            memory.legend(loc="lower right", fontsize="small")
        axes.legend(loc="upper left", fontsize="small")
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    sys.exit(run_command(main))
