import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from helpers.support import floats

from edge.answer import STATES, Answer
from edge.outputs.terminal import BAR_CELLS, PlainLines, bar, clock, words
from edge.outputs.json_lines import JsonLines

JAZZ = Answer(12.5, "music", "jazz", 0.912345, (("jazz", 0.912345), ("blues", 0.05), ("country", 0.02)))


def test_a_json_line_is_the_contract() -> None:
    out = io.StringIO()
    view = JsonLines(out, 2)
    view.show(JAZZ)
    view.final(JAZZ)
    hop, whole = map(json.loads, out.getvalue().splitlines())
    assert hop == {
        "t": 12.5,
        "state": "music",
        "label": "jazz",
        "confidence": 0.9123,
        "top": [["jazz", 0.9123], ["blues", 0.05]],
    }
    assert whole == hop | {"final": True}


def test_plain_lines_say_only_what_is_new() -> None:
    out = io.StringIO()
    view = PlainLines(out, 3)
    for answer in (JAZZ, JAZZ, Answer(13.0, "silence"), Answer(13.5, "silence")):
        view.show(answer)
    assert out.getvalue().splitlines() == [" 0:12.5  jazz 91%", " 0:13.0  silence"]


@given(floats(0, 1))
def test_a_bar_has_its_width(probability: float) -> None:
    assert len(bar(probability)) == BAR_CELLS


@pytest.mark.parametrize(("seconds", "text"), [(0.5, " 0:00.5"), (59.96, " 1:00.0"), (3725.25, "1:02:05.2")])
def test_a_clock_carries(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_words(state: str) -> None:
    assert words(Answer(0.0, state, "jazz" if state == "music" else None))


def test_a_terminal_gets_one_line_that_changes_in_place(melody: Path) -> None:
    reader, writer = pty.openpty()
    command = [sys.executable, "-m", "edge.cli.listen", str(melody)]
    process = subprocess.Popen(command, stdout=writer, env={**os.environ, "COLUMNS": "50"})
    os.close(writer)
    shown = b""
    while True:
        try:
            part = os.read(reader, 4096)
        except OSError:  # Linux's way of saying that the other side has closed
            break
        if not part:
            break
        shown += part
    assert process.wait() == 0
    live, whole, rest = shown.decode().split("\r\n")
    assert live.count("\r\x1b[K") == 16
    assert max(len(line) for line in re.split(r"\r\x1b\[K", live)) < 50
    assert "all of it:" in whole
    assert rest == ""


def test_a_line_of_json_says_what_was_lost_and_why_once_there_is_something_to_say() -> None:
    out = io.StringIO()
    view = JsonLines(out, 3)
    view.show(JAZZ)
    view.show(Answer(15.0, "lost", lost=2.5, note="unplugged"))
    before, after = map(json.loads, out.getvalue().splitlines())
    assert not {"lost", "note"} & set(before)
    assert (after["lost"], after["note"]) == (2.5, "unplugged")


def test_a_reason_that_changes_is_a_line_of_its_own() -> None:
    out = io.StringIO()
    view = PlainLines(out, 3)
    for note in ("unplugged", "unplugged", "busy"):
        view.show(Answer(15.0, "lost", lost=2.5, note=note))
    assert [line.split("  ")[-1] for line in out.getvalue().splitlines()] == [
        "NO SOUND ARRIVES: unplugged",
        "NO SOUND ARRIVES: busy",
    ]
