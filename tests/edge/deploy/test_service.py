"""The state of the service, and the wait for its first answer."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.deployed import FakeSystemd
from hypothesis import given
from hypothesis import strategies as st

from edge.deploy import layout, service
from edge.deploy.host import ThisMachine
from edge.deploy.shell import Script
from edge.errors import EdgeError

MUSIC = {"state": "music", "label": "jazz", "model_sha256": "new", "note": "back\\slash * \u2026"}


class Scripted(ThisMachine):
    """Replies with one text after the other, and then with the last one for ever."""

    def __init__(self, *replies: str) -> None:
        super().__init__()
        self.replies = list(replies)

    def run(self, script: Script, *, root: bool = False, stdin: bytes = b"") -> str:
        if script == service.LAST_LOG_LINES:
            return "one\nits last words\n"
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def reply(
    active: str = "active", pid: int = 7, restarts: int = 0, text: str = "", up: float = 5.0, **status: object
) -> str:
    return raw_reply(json.dumps(status) if status else "", active, pid, restarts, text, up)


def raw_reply(
    status: str, active: str = "active", pid: int = 7, restarts: int = 0, text: str = "", up: float = 5.0
) -> str:
    lines = [
        f"ActiveState={active}",
        f"MainPID={pid}",
        f"NRestarts={restarts}",
        f"StatusText={text}",
        f"ExecMainStartTimestampMonotonic={round((100 - up) * 1e6)}",
        "Uptime=100.00",
        f"Status={status}",
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "POLL_SECONDS", 0.01)


def test_the_state_is_what_systemd_and_the_status_file_say() -> None:
    now = service.query(Scripted(reply(text="jazz 91%; a = b", up=65.5, **MUSIC)))
    assert (now.active, now.pid, now.text, now.up_seconds) == ("active", 7, "jazz 91%; a = b", 65.5)
    assert now.status == MUSIC
    assert now.answers


def test_a_service_that_was_never_installed_is_inactive() -> None:
    now = service.query(Scripted(reply(active="inactive", pid=0)))
    assert (now.answers, now.up_seconds, now.summary) == (False, 0.0, "inactive")


WHOLE = json.dumps(MUSIC)


@pytest.mark.parametrize(
    "status", ["", *(WHOLE[:end] for end in (1, 9, len(WHOLE) - 1)), "null", "[]", "3", "{}", "x\ny"]
)
def test_a_status_file_that_is_not_whole_is_no_status_yet(status: str) -> None:
    now = service.query(Scripted(raw_reply(status)))
    assert (now.status, now.answers) == ({}, False)


@given(st.text())
def test_no_content_of_the_status_file_raises(text: str) -> None:
    assert isinstance(service.parse_status(text), dict)


def test_a_status_file_that_vanishes_is_no_status_yet(systemd: FakeSystemd) -> None:
    """The real script against a file that is not there, which is what a file that has just been removed is."""
    assert service.query(ThisMachine()).status == {}
    Path(layout.STATUS).write_text(WHOLE)
    assert service.query(ThisMachine()).status == MUSIC


def test_the_wait_goes_on_while_the_status_is_not_whole() -> None:
    host = Scripted(
        raw_reply(""), raw_reply(WHOLE[:9]), raw_reply('{"state": "music"}'), reply(text="at last", **MUSIC)
    )
    assert service.wait_for_answer(host, "new", None, 10).text == "at last"


@pytest.mark.parametrize("text", ["", "systemctl: not found", "ActiveState=active\nMainPID=x\n"])
def test_an_unexpected_reply_of_systemd_is_an_error_in_one_sentence(text: str) -> None:
    with pytest.raises(EdgeError, match=r"^this machine: unexpected reply from systemctl: .*$"):
        service.query(Scripted(text))


@pytest.mark.parametrize(
    "before",
    [
        [reply(pid=6, **MUSIC)],  # the old process
        [reply(**{**MUSIC, "model_sha256": "old"})],
        [reply(**{**MUSIC, "state": "warming"}), reply(**{**MUSIC, "state": "lost"})],
        [reply(active="activating", pid=0, restarts=1), reply()],
    ],
)
def test_only_an_answer_of_the_new_process_with_the_new_model_counts(before: Sequence[str]) -> None:
    host = Scripted(*before, reply(text="at last", **MUSIC))
    assert service.wait_for_answer(host, "new", 6, 10).text == "at last"
    assert host.replies == [reply(text="at last", **MUSIC)], "it did not wait for it"


@pytest.mark.parametrize("state", [reply(active="failed", pid=0), reply(active="activating", restarts=2)])
def test_a_program_that_keeps_exiting_is_not_waited_for(state: str) -> None:
    with pytest.raises(EdgeError, match="the service keeps exiting: one; its last words"):
        service.wait_for_answer(Scripted(state), "new", None, 1000)


def test_no_answer_in_time_is_an_error_with_the_reason() -> None:
    with pytest.raises(EdgeError, match=r"no answer within 0\.05 s: NO SOUND ARRIVES; unplugged"):
        service.wait_for_answer(Scripted(reply(text="NO SOUND ARRIVES; unplugged")), "new", None, 0.05)


def test_a_service_is_stable_after_some_uptime() -> None:
    host = Scripted(*(reply(active="activating", up=up) for up in (2, 9, 11)))
    assert service.wait_until_stable(host, 10).up_seconds == 11


def test_the_report_has_the_keys_of_version_0_1() -> None:
    fields = service.query(Scripted(reply(**MUSIC))).to_dict()
    assert list(fields) == ["active", "pid", "restarts", "text", "up_seconds", "told"]
    assert fields["told"] == MUSIC
