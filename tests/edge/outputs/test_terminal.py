import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import floats
from hypothesis import given

from edge.answer import STATES, Answer
from edge.outputs.json_lines import JsonLines
from edge.outputs.terminal import BAR_CELLS, PlainLines, bar, clock

JAZZ = Answer(12.5, "music", "jazz", 0.912345, (("jazz", 0.912345), ("blues", 0.05), ("country", 0.02)))


def test_json_lines_have_the_documented_fields() -> None:
    out = io.StringIO()
    view = JsonLines(out, 2)
    view.show(JAZZ)
    view.summary(JAZZ)
    hop, summary = map(json.loads, out.getvalue().splitlines())
    assert hop == {
        "t": 12.5,
        "state": "music",
        "label": "jazz",
        "confidence": 0.9123,
        "top": [["jazz", 0.9123], ["blues", 0.05]],
    }
    assert summary == hop | {"final": True}


def test_plain_lines_are_written_only_on_a_change() -> None:
    out = io.StringIO()
    view = PlainLines(out, 3)
    for answer in (JAZZ, JAZZ, Answer(13.0, "silence"), Answer(13.5, "silence")):
        view.show(answer)
    assert out.getvalue().splitlines() == [" 0:12.5  jazz 91%", " 0:13.0  silence"]


@given(floats(0, 1))
def test_a_bar_always_has_the_same_width(probability: float) -> None:
    assert len(bar(probability)) == BAR_CELLS


@pytest.mark.parametrize(("seconds", "text"), [(0.5, " 0:00.5"), (59.96, " 1:00.0"), (3725.25, "1:02:05.2")])
def test_the_clock_carries_seconds_into_minutes_and_hours(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_description(state: str) -> None:
    assert Answer(0.0, state, "jazz" if state == "music" else None).describe()


def test_a_terminal_gets_one_line_that_changes_in_place(melody: Path) -> None:
    reader, writer = pty.openpty()
    command = [sys.executable, "-m", "edge.cli.listen", str(melody)]
    process = subprocess.Popen(command, stdout=writer, env={**os.environ, "COLUMNS": "50"})
    os.close(writer)
    shown = b""
    while True:
        try:
            part = os.read(reader, 4096)
        except OSError:  # EIO: the other side is closed
            break
        if not part:
            break
        shown += part
    assert process.wait() == 0
    live, summary, rest = shown.decode().split("\r\n")
    assert live.count("\r\x1b[K") == 16
    assert max(len(line) for line in re.split(r"\r\x1b\[K", live)) < 50
    assert "all of it:" in summary
    assert rest == ""


def test_json_lines_have_lost_and_note_only_if_set() -> None:
    out = io.StringIO()
    view = JsonLines(out, 3)
    view.show(JAZZ)
    view.show(Answer(15.0, "lost", lost=2.5, note="unplugged"))
    before, after = map(json.loads, out.getvalue().splitlines())
    assert not {"lost", "note"} & set(before)
    assert (after["lost"], after["note"]) == (2.5, "unplugged")


def test_plain_lines_show_a_new_reason() -> None:
    out = io.StringIO()
    view = PlainLines(out, 3)
    for note in ("unplugged", "unplugged", "busy"):
        view.show(Answer(15.0, "lost", lost=2.5, note=note))
    assert [line.split("  ")[-1] for line in out.getvalue().splitlines()] == [
        "NO SOUND ARRIVES: unplugged",
        "NO SOUND ARRIVES: busy",
    ]
