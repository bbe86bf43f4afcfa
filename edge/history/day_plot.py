"""The plot of a day: one row per hour, one colour per label. Only this module needs matplotlib."""

import datetime
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg  # draws without a display
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from edge.history.segments import Segment

HOUR = 3600.0
INCHES = (12.0, 7.5)
DPI = 120
BAR_HEIGHT = 0.84  # of a row
# Distinguishable colours, strong ones first; grey is for the states without a label.
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


def draw(path: Path, title: str, since: float, until: float, segments: list[Segment], labels: list[str]) -> None:
    """Write the segments between two Unix times as a PNG or SVG; time without a segment stays white.

    Parameters
    ----------
    path
        The picture; its suffix chooses the format.
    title
        Title of the plot.
    since, until
        Unix times of the beginning of the first row and the end of the last one.
    segments
        Between these times.
    labels
        Labels of the whole history, so that a label has the same colour on every day.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    styles: dict[str, dict[str, Any]] = {
        label: {"facecolor": COLOURS[i % len(COLOURS)]} for i, label in enumerate(labels)
    }
    rows = math.ceil((until - since) / HOUR)
    pieces: dict[tuple[str, str | None], dict[int, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    seconds: dict[tuple[str, str | None], float] = defaultdict(float)
    for segment in segments:
        seconds[segment.state, segment.label] += segment.seconds
        for row, begin, length in by_hour(segment, since):
            pieces[segment.state, segment.label][row].append((begin / 60, length / 60))
    figure = Figure(INCHES, DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    legend = []
    for (state, label), total in sorted(seconds.items(), key=lambda item: -item[1]):
        style = styles[label] if label else STATE_STYLES[state]
        for row, bars in pieces[state, label].items():
            axes.broken_barh(bars, (row - BAR_HEIGHT / 2, BAR_HEIGHT), **style)
        legend.append(Patch(**style, label=f"{label or state}  {total / HOUR:.1f} h"))
    # By elapsed hours: on a day of 23 or 25 hours the clock's hours skip a row or name it twice.
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


def by_hour(segment: Segment, since: float) -> Iterator[tuple[int, float, float]]:
    """Pieces of a segment by hours since a Unix time: row, begin in the row and length, both in seconds."""
    begin, end = segment.began - since, segment.began - since + segment.seconds
    for row in range(int(begin // HOUR), math.ceil(end / HOUR)):
        left, right = max(begin, row * HOUR), min(end, (row + 1) * HOUR)
        yield row, left - row * HOUR, right - left
