"""The command line, several hosts at once, and the table of hosts."""

import contextlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.deployed import target
from helpers.support import Run, one_sentence

from edge.deploy import command, service
from edge.deploy.host import Host, ThisMachine
from edge.deploy.host_table import duration, host_table
from edge.deploy.service import Service
from edge.errors import EdgeError

STATUS = {"model": "edge", "overruns": 2, "lost": 1.25}
MUSIC = Service("active", 7, 0, "jazz 91%; USB Audio, 48000 Hz", 65.0, STATUS)
INACTIVE = Service("inactive", 0, 0, "", 0.0, {})


def report(state: Service, **more: object) -> dict[str, Any]:
    return {"target": target().to_dict(), "service": state.to_dict(), **more}


def test_the_table_shows_the_current_release_not_the_one_before() -> None:
    _, line = host_table({"pi": report(MUSIC, release={"name": "0.1.0-new", "model_name": None})}, {}).splitlines()
    cells = re.split(" {2,}", line)
    assert cells == ["pi", "0.1.0-new", "edge", "1 min 5 s", "jazz 91%; USB Audio, 48000 Hz", "2", "1.2", "48"]


def test_the_table_shows_no_release_after_a_removal() -> None:
    before = target(release={"name": "0.1.0"}).to_dict()
    _, line = host_table({"pi": {**report(INACTIVE), "target": before, "release": None}}, {}).splitlines()
    assert line.split() == ["pi", "-", "-", "-", "inactive", "-", "-", "48"]


def test_the_table_shows_inactive_and_unreachable_hosts() -> None:
    _, there, away = host_table({"pi": report(INACTIVE)}, {"gone": "gone: no route to host"}).splitlines()
    assert there.split() == ["pi", "-", "-", "-", "inactive", "-", "-", "48"]
    assert away.split() == ["gone", "-", "-", "-", "failed", "-", "-", "-"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 min 0 s"), (59.6, "1 min 0 s"), (7384, "2 h 3 min"), (90_000, "1 d 1 h")]
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


class Named(ThisMachine):
    """This machine, under another name."""

    def __init__(self, name: str, options: object) -> None:
        super().__init__()
        self.name = name


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Runs `edge-deploy kitchen cellar garden --status`; returns its exit status and its report."""
    monkeypatch.setattr(command, "SshHost", Named)
    monkeypatch.setattr(service, "query", lambda host: MUSIC)

    def run(*options: str) -> tuple[int, dict[str, Any]]:
        path = tmp_path / "report.json"
        arguments = ["kitchen", "cellar", "garden", "--status", "--json", str(path), *options]
        status = command.command(command.parser().parse_intermixed_args(arguments))
        return status, json.loads(path.read_text())

    return run


UNEXPECTED = [
    (ValueError("Expecting value: line 1"), "unexpected ValueError: Expecting value: line 1"),
    (KeyError("told"), "unexpected KeyError: 'told'"),
    (OSError(28, "No space left on device", "/tmp/x"), "/tmp/x: No space left on device"),
    (EdgeError("cellar: no route to host"), "no route to host"),
    (EdgeError("/etc/edge-listen.toml: invalid"), "/etc/edge-listen.toml: invalid"),
]


@pytest.mark.parametrize(("error", "sentence"), UNEXPECTED)
@pytest.mark.parametrize("place", ["the probe", "the job"])
def test_any_exception_of_one_host_is_reported_and_the_others_are_not_affected(
    several: Callable[..., tuple[int, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    sentence: str,
    place: str,
) -> None:
    probe = command.probe

    def fail(host: Host) -> Any:
        if host.name == "cellar":
            raise error
        return probe(host) if place == "the probe" else MUSIC

    monkeypatch.setattr(
        command if place == "the probe" else service, "probe" if place == "the probe" else "query", fail
    )
    status, reports = several()
    shown = capsys.readouterr()
    assert status == 1
    assert reports["cellar"]["error"] == f"cellar: {sentence}"
    assert shown.err == f"error: cellar: {sentence}\n"
    for name in ("kitchen", "garden"):
        assert reports[name]["error"] is None
        assert reports[name]["service"]["text"] == MUSIC.text
        assert re.search(rf"^{name} .* {re.escape(MUSIC.text)} ", shown.out, re.MULTILINE)


def test_hosts_that_all_succeed_give_status_0(several: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    status, reports = several()
    assert status == 0
    assert list(reports) == ["kitchen", "cellar", "garden"]
    assert {fields["error"] for fields in reports.values()} == {None}
    assert list(reports["kitchen"]) == ["target", "service", "error"]


def test_the_report_is_written_although_nobody_reads_the_table(
    several: Callable[..., tuple[int, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> str:
        raise BrokenPipeError

    monkeypatch.setattr(command, "host_table", fail)
    status, reports = several()
    assert status == 0
    assert list(reports) == ["kitchen", "cellar", "garden"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "pass one or more HOSTs, or --here"),
        (["pi@host", "--here"], 2, "pass one or more HOSTs, or --here"),
        (["pi@host", "pi@host"], 2, "given twice"),
        (["pi@host", "--model", "no.tflite"], 1, "no.tflite"),
        (["pi@host", "--config", "no.toml"], 2, "no.toml"),
        (["pi@host", "--wheel", "no-1.0-py3-none-any.whl"], 1, "not a wheel"),
        (["pi@host", "--json", "/nowhere/report.json"], 1, "/nowhere/report.json: No such file or directory"),
        (["pi@no-such-host.invalid", "--status"], 1, "no-such-host.invalid"),
    ],
)
def test_invalid_arguments_are_an_error_in_one_sentence(
    run: Run, arguments: list[str], status: int, message: str
) -> None:
    done = run("edge.deploy.command", *arguments)
    assert done.returncode == status
    assert message in one_sentence(done)


def test_the_help_has_groups_examples_and_the_documentation(run: Run) -> None:
    done = run("edge.deploy.command", "--help")
    assert done.returncode == 0
    for part in (
        "what to deploy:",
        "instead of deploying:",
        "edge-deploy pi@raspberrypi.local",
        "edge/deploy/README.md",
    ):
        assert part in done.stdout


def test_a_standard_output_without_utf_8_is_no_obstacle(run: Run) -> None:
    done = run("edge.deploy.command", "--help", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")


def test_progress_that_nobody_reads_does_not_stop_a_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    show = command.progress_printer(ThisMachine(), 1)
    closed = os.fdopen(writing, "w")
    monkeypatch.setattr("sys.stdout", closed)
    show("one\ntwo")
    show("three")
    with contextlib.suppress(BrokenPipeError):  # it flushes once more
        closed.close()


def test_the_version_is_printed(run: Run) -> None:
    done = run("edge.deploy.command", "--version")
    assert done.returncode == 0
    assert re.fullmatch(r"edge-deploy \S+\n", done.stdout)
