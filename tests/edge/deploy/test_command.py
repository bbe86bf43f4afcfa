"""The table at the end, a line a machine."""

import dataclasses
import re

import pytest
from deployed import target

from edge.deploy.command import duration, table
from edge.deploy.service import Service

MUSIC = Service("active", 7, 0, "jazz 91%; USB Audio, 48000 Hz", 65.0, {"model": "edge", "overruns": 2, "lost": 1.25})


def found(service: Service, **more: object) -> dict[str, object]:
    return {"target": dataclasses.asdict(target()), "service": dataclasses.asdict(service), **more}


def test_a_machine_shows_what_runs_there_now_and_not_what_was_found_there() -> None:
    _, line = table({"pi": found(MUSIC, release={"name": "0.1.0-new", "model_name": None})}, {})
    cells = re.split(" {2,}", line)
    assert cells == ["pi", "0.1.0-new", "edge", "1 min 5 s", "jazz 91%; USB Audio, 48000 Hz", "2", "1.2", "48"]


def test_a_machine_that_it_was_removed_from_shows_no_release() -> None:
    gone = found(Service("inactive", 0, 0, "", 0.0, {}), target=dataclasses.asdict(target(release={"name": "0.1.0"})))
    _, line = table({"pi": {**gone, "release": None}}, {})
    assert line.split() == ["pi", "-", "-", "-", "inactive", "-", "-", "48"]


def test_a_machine_that_nothing_runs_on_is_shown_too() -> None:
    _, there, away = table({"pi": found(Service("inactive", 0, 0, "", 0.0, {}))}, {"gone": "gone: no route to host"})
    assert there.split() == ["pi", "-", "-", "-", "inactive", "-", "-", "48"]
    assert away.split() == ["gone", "-", "-", "-", "failed", "-", "-", "-"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 min 0 s"), (59.6, "1 min 0 s"), (7384, "2 h 3 min"), (90_000, "1 d 1 h")]
)
def test_a_duration_has_the_two_units_that_matter(seconds: float, words: str) -> None:
    assert duration(seconds) == words
