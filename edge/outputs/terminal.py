"""Standard output for people: plain lines, or one line of a terminal that changes in place."""

import shutil
import sys
from typing import Protocol, TextIO

from edge.answer import Answer
from edge.outputs.json_lines import JsonLines

BAR_CELLS = 10
EIGHTHS = " ▏▎▍▌▋▊▉█"


class View(Protocol):
    """Shows every answer, and one for everything that was heard."""

    def show(self, answer: Answer) -> None:
        """Show the answer of one hop."""

    def end(self) -> None:
        """End the line that changes in place, if there is one."""

    def summary(self, answer: Answer) -> None:
        """Show the answer for everything that was heard."""


class PlainLines:
    """Writes a line when the answer changes: for logs and pipes."""

    def __init__(self, out: TextIO, top_k: int) -> None:
        self._out = out
        self._top_k = top_k
        self._last: tuple[str, str | None, str | None] | None = None

    def show(self, answer: Answer) -> None:
        """Write a line if the state, label or note differs from the last one."""
        if (new := (answer.state, answer.label, answer.note)) != self._last:
            self._last = new
            self._write(f"{clock(answer.time)}  {answer.describe()}{f': {answer.note}' if answer.note else ''}")

    def end(self) -> None:
        """Do nothing: every line is complete."""

    def summary(self, answer: Answer) -> None:
        """Write the answer for everything, with its most probable labels."""
        ranking = ", ".join(f"{label} {p:.0%}" for label, p in answer.top[: self._top_k])
        self._write(f"{clock(answer.time)}  all of it: {answer.describe()}{f'  ({ranking})' if ranking else ''}")

    def _write(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()


class LiveLine:
    """Writes one line that changes in place, with bars for the most probable labels."""

    def __init__(self, out: TextIO, top_k: int) -> None:
        self._out = out
        self._top_k = top_k

    def show(self, answer: Answer) -> None:
        """Overwrite the line."""
        bars = "  ".join(f"{label} {bar(p)} {p:4.0%}" for label, p in answer.top[: self._top_k]) or answer.note or ""
        lost = f"  ({answer.lost:.1f} s lost)" if answer.lost else ""
        line = f"{clock(answer.time)}{lost}  {answer.describe():<18}  {bars}"
        width = shutil.get_terminal_size().columns - 1
        self._out.write(f"\r\x1b[K{line[:width]}")
        self._out.flush()

    def end(self) -> None:
        """Start a new line."""
        self._out.write("\n")
        self._out.flush()

    def summary(self, answer: Answer) -> None:
        """Write the answer for everything in a line of its own."""
        PlainLines(self._out, self._top_k).summary(answer)


def clock(seconds: float) -> str:
    """Format a time as h:mm:ss.s, without hours below one hour."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes:2}:{rest:04.1f}"


def bar(probability: float) -> str:
    """Draw a bar of BAR_CELLS cells, in eighths of a cell."""
    eighths = round(probability * BAR_CELLS * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[part] if part else "")).ljust(BAR_CELLS)


def choose_view(as_json: bool, top_k: int) -> View:
    """JSON lines if asked for, the live line on a terminal, plain lines otherwise."""
    if as_json:
        return JsonLines(sys.stdout, top_k)
    return (LiveLine if sys.stdout.isatty() else PlainLines)(sys.stdout, top_k)
