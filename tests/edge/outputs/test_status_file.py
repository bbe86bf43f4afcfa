"""The status file that other programs read."""

import json
import time
from pathlib import Path

import pytest

from edge.answer import Answer
from edge.outputs.status_file import STATUS_NAME, StatusFileOutput
from edge.outputs.throttle import UPDATE_SECONDS
from edge.stats import Stats

ANSWER = Answer(12.5, "music", "rock", 0.9, (("rock", 0.9), ("jazz", 0.05), ("blues", 0.03), ("metal", 0.02)))


def test_it_has_the_answer_with_three_labels_and_the_counters(tmp_path: Path) -> None:
    output = StatusFileOutput(tmp_path)
    output.show(ANSWER, Stats("mic", "edge", "abc", 2, 1, 0.03))
    fields = json.loads((tmp_path / STATUS_NAME).read_text())
    assert fields.pop("version")
    assert fields == {
        "t": 12.5,
        "state": "music",
        "label": "rock",
        "confidence": 0.9,
        "top": [["rock", 0.9], ["jazz", 0.05], ["blues", 0.03]],
        "device": "mic",
        "model": "edge",
        "model_sha256": "abc",
        "overruns": 2,
        "reconnects": 1,
        "delay_seconds": 0.03,
    }


def test_it_is_written_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    output = StatusFileOutput(tmp_path)
    times = []
    for i in range(21):
        now = 100.0 + 0.25 * i
        output.show(Answer(float(i), "silence"), Stats())
        times.append(json.loads((tmp_path / STATUS_NAME).read_text())["t"])
    assert sorted(set(times)) == [0, 4, 8, 12, 16, 20]
    assert UPDATE_SECONDS == 1


def test_a_folder_that_disappears_raises_nothing(tmp_path: Path) -> None:
    output = StatusFileOutput(tmp_path / "gone")
    output.show(ANSWER, Stats())
    output.close()


def test_it_is_removed_when_the_output_is_closed(tmp_path: Path) -> None:
    output = StatusFileOutput(tmp_path)
    output.show(ANSWER, Stats())
    output.close()
    assert list(tmp_path.iterdir()) == []
