"""Log lines on standard error."""

import io
import logging
from collections.abc import Iterator

import pytest

from edge.cli.logs import CLEAR_LINE, log_to_stderr

LEVELS = {logging.INFO: ("info", 6), logging.WARNING: ("warning", 4), logging.ERROR: ("error", 3)}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored_logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    log = logging.getLogger("edge")
    before = log.handlers, log.level, log.propagate
    yield
    log.handlers, level, log.propagate = before
    log.setLevel(level)


def log_line(monkeypatch: pytest.MonkeyPatch, level: int, stream: io.StringIO) -> str:
    monkeypatch.setattr("sys.stderr", stream)
    log_to_stderr()
    logging.getLogger("edge").log(level, "%s: %s", "MQTT", "back")
    return stream.getvalue()


@pytest.mark.parametrize("level", LEVELS)
def test_a_line_in_a_file_begins_with_its_level(monkeypatch: pytest.MonkeyPatch, level: int) -> None:
    assert log_line(monkeypatch, level, io.StringIO()) == f"{LEVELS[level][0]}: MQTT: back\n"


def test_a_line_on_a_terminal_replaces_the_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert log_line(monkeypatch, logging.INFO, Terminal()) == f"{CLEAR_LINE}info: MQTT: back\n"


@pytest.mark.parametrize("level", LEVELS)
def test_a_line_in_the_journal_begins_with_its_priority(monkeypatch: pytest.MonkeyPatch, level: int) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1234")
    assert log_line(monkeypatch, level, io.StringIO()) == f"<{LEVELS[level][1]}>MQTT: back\n"


def test_debug_lines_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert log_line(monkeypatch, logging.DEBUG, io.StringIO()) == ""
