"""The picture of a day: a row an hour, a colour a label. Only this module needs matplotlib."""

import datetime
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg  # draws without a display
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from edge.history.store import Segment

HOUR = 3600.0
INCHES = (12.0, 7.5)
DPI = 120
BAR_HEIGHT = 0.84  # of a row
# Shades that can be told apart, without grey, which is what no label has; strong ones first.
COLOURS = (
    *("#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#bcbd22", "#17becf", "#14532d", "#1b3a6b"),
    *("#aec7e8", "#ffbb78", "#98df8a", "#c5b0d5", "#c49c94", "#f7b6d2", "#dbdb8d", "#9edae5"),
)
STATE_STYLES: dict[str, dict[str, Any]] = {
    "unknown": {"facecolor": "0.5"},
    "other": {"facecolor": "0.72"},
    "silence": {"facecolor": "0.92"},
    "lost": {"facecolor": "white", "edgecolor": "#d62728", "hatch": "/////", "linewidth": 0.8},
}


def draw(path: Path, title: str, since: float, until: float, heard: list[Segment], labels: list[str]) -> None:
    """Write what was heard between two Unix times as a PNG or SVG; white is time when nobody listened.

    `labels` are those of the whole history, so that a label has the same colour on every day. Raise OSError.
    """
    styles: dict[str, dict[str, Any]] = {
        label: {"facecolor": COLOURS[i % len(COLOURS)]} for i, label in enumerate(labels)
    }
    rows = math.ceil((until - since) / HOUR)
    pieces: dict[tuple[str, str | None], dict[int, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    seconds: dict[tuple[str, str | None], float] = defaultdict(float)
    for stretch in heard:
        seconds[stretch.state, stretch.label] += stretch.seconds
        for row, begin, length in by_hour(stretch, since):
            pieces[stretch.state, stretch.label][row].append((begin / 60, length / 60))
    figure = Figure(INCHES, DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    legend = []
    for (state, label), whole in sorted(seconds.items(), key=lambda item: -item[1]):
        style = styles[label] if label else STATE_STYLES[state]
        for row, bars in pieces[state, label].items():
            axes.broken_barh(bars, (row - BAR_HEIGHT / 2, BAR_HEIGHT), **style)
        legend.append(Patch(**style, label=f"{label or state}  {whole / HOUR:.1f} h"))
    # By elapsed hours: where a day has 23 or 25 of them, the clock skips a row or says it twice.
    starts = (datetime.datetime.fromtimestamp(since + row * HOUR) for row in range(rows))
    axes.set_yticks(range(rows), [f"{start:%H:%M}" for start in starts])
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_xticks(range(0, 61, 5))
    axes.set_xlim(0, 60)
    axes.set_xlabel("minutes")
    axes.set_title(title)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(axis="x", color="0.85", linewidth=0.5)
    axes.set_axisbelow(True)
    figure.legend(handles=legend, loc="outside right upper", frameon=False, handlelength=1.5, handleheight=1.2)
    figure.savefig(path)


def by_hour(stretch: Segment, since: float) -> Iterator[tuple[int, float, float]]:
    """The row, and from which second of it on for how many seconds, of each hour that the stretch is in."""
    begin, end = stretch.began - since, stretch.began - since + stretch.seconds
    for row in range(int(begin // HOUR), math.ceil(end / HOUR)):
        left, right = max(begin, row * HOUR), min(end, (row + 1) * HOUR)
        yield row, left - row * HOUR, right - left
