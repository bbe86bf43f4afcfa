"""Draw the picture of README.md: the line of edge-listen on a terminal, at several moments of the demo clip.

python -m benchmarks.live_line benchmarks/live_line.svg
"""

import argparse
import io
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import edge
from edge.outputs.terminal import BAR_CELLS, EIGHTHS, LiveLine

MOMENTS = (1.0, 3.0, 8.0, 15.5, 24.0)  # seconds of the clip
COLUMNS = 104
CELL, LINE, MARGIN = 8.4, 24, 18  # pixels
COLOURS = {"background": "#1d2330", "text": "#d8dee9", "prompt": "#8fbc7a", "bar": "#6cb6ff", "track": "#303a4d"}
BLOCKS = frozenset(EIGHTHS.strip())


def live_lines() -> Iterator[str]:
    """Yield the line that edge-listen shows at each of MOMENTS."""
    os.environ["COLUMNS"] = str(COLUMNS)
    for answer in edge.listen(edge.DEMO_CLIP):
        if answer.time in MOMENTS:
            out = io.StringIO()
            LiveLine(out, top_k=3).show(answer)
            yield out.getvalue().rpartition("\x1b[K")[2]


def draw(lines: list[str]) -> str:
    """Draw an SVG with one row per line; bars are rectangles, since fonts leave gaps between block characters."""
    width, height = COLUMNS * CELL + 2 * MARGIN, (len(lines) + 1) * LINE + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
        "<title>edge-listen --demo on a terminal, one line that changes in place, at five moments</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{COLOURS["background"]}"/>',
        *text("$ edge-listen --demo", 0, 0, COLOURS["prompt"]),
    ]
    for row, line in enumerate(lines, 1):
        column = 0
        for is_bar, characters in itertools.groupby(line, key=lambda character: character in BLOCKS):
            run = "".join(characters)
            if is_bar:
                cells = sum(EIGHTHS.index(character) / 8 for character in run)
                parts += [box(column, row, BAR_CELLS, COLOURS["track"]), box(column, row, cells, COLOURS["bar"])]
            else:
                parts += text(run, column, row, COLOURS["text"])
            column += len(run)
    return "\n".join([*parts, "</svg>", ""])


def text(run: str, column: int, row: int, colour: str) -> list[str]:
    """Draw each word of a run at the column where a terminal shows it, whatever font the viewer has."""
    parts = []
    start = 0
    for word in run.split(" "):
        if word:
            x, y = MARGIN + (column + start) * CELL, MARGIN + row * LINE + 16
            length = len(word) * CELL
            parts.append(f'<text x="{x:.1f}" y="{y}" textLength="{length:.1f}" fill="{colour}">{escape(word)}</text>')
        start += len(word) + 1
    return parts


def box(column: int, row: int, cells: float, colour: str) -> str:
    """Draw a rectangle that is `cells` wide."""
    x, y = MARGIN + column * CELL, MARGIN + row * LINE + 5
    return f'<rect x="{x:.1f}" y="{y}" width="{cells * CELL:.1f}" height="13" rx="2" fill="{colour}"/>'


def main() -> None:
    """Draw the picture to the file given on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.live_line", description="Draw the picture of README.md."
    )
    parser.add_argument("out", type=Path, metavar="OUT.svg")
    parser.parse_args().out.write_text(draw(list(live_lines())), encoding="utf-8")


if __name__ == "__main__":
    main()
