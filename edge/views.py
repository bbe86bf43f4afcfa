"""How an answer is shown: JSON lines, plain lines, or one line of the terminal that changes in place."""

import json
import shutil
import sys
from typing import Protocol, TextIO

from edge.decision import Answer

BAR_CELLS = 10
EIGHTHS = " ▏▎▍▌▋▊▉█"


class View(Protocol):
    """Takes every answer, and one for the whole of a file."""

    def show(self, answer: Answer) -> None:
        """The answer of this hop."""

    def end(self) -> None:
        """The last of them was shown, or the person at the terminal has had enough."""

    def final(self, answer: Answer) -> None:
        """The answer for all that was heard."""


class JsonLines:
    """One JSON object a line, flushed, so that a reader at the other end of a pipe is never behind."""

    def __init__(self, out: TextIO, top_k: int) -> None:
        self._out = out
        self._top_k = top_k

    def show(self, answer: Answer) -> None:
        """One line."""
        self._write(fields(answer, self._top_k))

    def end(self) -> None:
        """Nothing to tidy up."""

    def final(self, answer: Answer) -> None:
        """One more line, marked."""
        self._write({**fields(answer, self._top_k), "final": True})

    def _write(self, told: dict[str, object]) -> None:
        self._out.write(json.dumps(told, ensure_ascii=False) + "\n")
        self._out.flush()


class PlainLines:
    """A line each time the answer changes: for logs and pipes."""

    def __init__(self, out: TextIO, top_k: int) -> None:
        self._out = out
        self._top_k = top_k
        self._last: tuple[str, str | None, str | None] | None = None

    def show(self, answer: Answer) -> None:
        """A line if this is something new."""
        if (new := (answer.state, answer.label, answer.note)) != self._last:
            self._last = new
            self._write(f"{clock(answer.t)}  {words(answer)}{f': {answer.note}' if answer.note else ''}")

    def end(self) -> None:
        """Nothing to tidy up."""

    def final(self, answer: Answer) -> None:
        """The whole file in a line, with its top labels."""
        ranking = ", ".join(f"{label} {p:.0%}" for label, p in answer.top[: self._top_k])
        self._write(f"{clock(answer.t)}  all of it: {words(answer)}{f'  ({ranking})' if ranking else ''}")

    def _write(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()


class LiveLine:
    """One line that changes in place, with the top labels as bars."""

    def __init__(self, out: TextIO, top_k: int) -> None:
        self._out = out
        self._top_k = top_k

    def show(self, answer: Answer) -> None:
        """Write over the line."""
        bars = "  ".join(f"{label} {bar(p)} {p:4.0%}" for label, p in answer.top[: self._top_k]) or answer.note or ""
        lost = f"  ({answer.lost:.1f} s lost)" if answer.lost else ""
        line = f"{clock(answer.t)}{lost}  {words(answer):<18}  {bars}"
        width = shutil.get_terminal_size().columns - 1
        self._out.write(f"\r\x1b[K{line[:width]}")
        self._out.flush()

    def final(self, answer: Answer) -> None:
        """The whole file in a line of its own."""
        PlainLines(self._out, self._top_k).final(answer)

    def end(self) -> None:
        """Let what comes next start on a line of its own."""
        self._out.write("\n")
        self._out.flush()


def fields(answer: Answer, top_k: int) -> dict[str, object]:
    """The answer as a JSON object; `lost` and `note` only where there is something to say."""
    told: dict[str, object] = {
        "t": round(answer.t, 3),
        "state": answer.state,
        "label": answer.label,
        "confidence": round(answer.confidence, 4),
        "top": [[label, round(p, 4)] for label, p in answer.top[:top_k]],
    }
    if answer.lost:
        told["lost"] = round(answer.lost, 3)
    if answer.note:
        told["note"] = answer.note
    return told


def words(answer: Answer) -> str:
    """The answer in a few words."""
    if answer.state == "music":
        return f"{answer.label} {answer.confidence:.0%}"
    return {
        "warming": "listening …",
        "other": "no music",
        "unknown": "music, not sure",
        "silence": "silence",
        "lost": "NO SOUND ARRIVES",
    }[answer.state]


def clock(seconds: float) -> str:
    """Time as h:mm:ss.s, without the hours while there are none."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes:2}:{rest:04.1f}"


def bar(probability: float) -> str:
    """A bar of BAR_CELLS cells, in eighths of a cell."""
    eighths = round(probability * BAR_CELLS * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[part] if part else "")).ljust(BAR_CELLS)


def choose_view(as_json: bool, top_k: int) -> View:
    """JSON when asked for, the live line on a terminal, plain lines otherwise."""
    if as_json:
        return JsonLines(sys.stdout, top_k)
    return (LiveLine if sys.stdout.isatty() else PlainLines)(sys.stdout, top_k)
