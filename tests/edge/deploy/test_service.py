"""The wait for a first answer, on what systemd and the service say one after the other."""

import json
from collections.abc import Sequence

import pytest

from edge.deploy import service
from edge.deploy.host import ThisMachine
from edge.errors import EdgeError

MUSIC = {"state": "music", "label": "jazz", "model_sha256": "new", "note": "back\\slash * \u2026"}


class Scripted(ThisMachine):
    """Says one thing after the other, and then the last one for ever."""

    def __init__(self, *said: str) -> None:
        super().__init__()
        self.said = list(said)

    def run(self, script: str, *, root: bool = False, text: str = "") -> str:
        if script == service.LAST_WORDS:
            return "one\nits last words\n"
        return super().run(f"cat <<'EOF'\n{self.said.pop(0) if len(self.said) > 1 else self.said[0]}\nEOF\n")


def says(
    active: str = "active", pid: int = 7, restarts: int = 0, text: str = "", up: float = 5.0, **told: object
) -> str:
    lines = [
        f"ActiveState={active}",
        f"MainPID={pid}",
        f"NRestarts={restarts}",
        f"StatusText={text}",
        f"ExecMainStartTimestampMonotonic={round((100 - up) * 1e6)}",
        "Uptime=100.00",
        *([f"Told={json.dumps(told)}"] if told else []),
    ]
    return "\n".join(lines)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ASK_SECONDS", 0.01)


def test_it_is_told_how_it_goes() -> None:
    now = service.ask(Scripted(says(text="jazz 91%; a = b", up=65.5, **MUSIC)))
    assert (now.active, now.pid, now.text, now.up_seconds) == ("active", 7, "jazz 91%; a = b", 65.5)
    assert now.told == MUSIC
    assert now.answers


def test_a_service_that_was_never_there_is_inactive() -> None:
    now = service.ask(Scripted(says(active="inactive", pid=0)))
    assert (now.answers, now.up_seconds, now.words) == (False, 0.0, "inactive")


@pytest.mark.parametrize(
    "before",
    [
        [says(pid=6, **MUSIC)],  # the old process
        [says(**{**MUSIC, "model_sha256": "old"})],
        [says(**{**MUSIC, "state": "warming"}), says(**{**MUSIC, "state": "lost"})],
        [says(active="activating", pid=0, restarts=1), says()],
    ],
)
def test_only_an_answer_of_the_new_process_with_the_new_model_counts(before: Sequence[str]) -> None:
    host = Scripted(*before, says(text="at last", **MUSIC))
    assert service.wait_for_answer(host, "new", 6, 10).text == "at last"
    assert host.said == [says(text="at last", **MUSIC)], "it did not wait for it"


@pytest.mark.parametrize("said", [says(active="failed", pid=0), says(active="activating", restarts=2)])
def test_a_program_that_ends_by_itself_is_not_waited_for(said: str) -> None:
    with pytest.raises(EdgeError, match="ends by itself: one; its last words"):
        service.wait_for_answer(Scripted(said), "new", None, 1000)


def test_who_says_nothing_in_time_is_told_with_the_reason() -> None:
    with pytest.raises(EdgeError, match=r"no answer in 0\.05 s: NO SOUND ARRIVES; unplugged"):
        service.wait_for_answer(Scripted(says(text="NO SOUND ARRIVES; unplugged")), "new", None, 0.05)


def test_a_life_is_one_of_so_many_seconds() -> None:
    host = Scripted(says(active="activating", up=2), says(active="activating", up=9), says(active="activating", up=11))
    assert service.wait_for_life(host, 10).up_seconds == 11
