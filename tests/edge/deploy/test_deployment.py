"""Deploy, switch and roll back, with real scripts and a stand-in for systemd."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.deployed import VERDICT, Machine, benchmark_of
from helpers.deployed import wheel as make_wheel

from edge.deploy import layout, service
from edge.deploy.host import ThisMachine
from edge.deploy.release import DeployRequest, current_release
from edge.deploy.shell import Script
from edge.errors import EdgeError


def test_a_first_deployment_answers_and_leaves_no_uploads(machine: Machine) -> None:
    done = machine.deploy("mic")
    assert machine.lines[-1] == VERDICT
    assert f"{machine.release} listens: jazz 91%" in machine.lines
    assert done.report["release"]["name"] == machine.release
    assert done.report["service"]["told"]["state"] == "music"
    assert done.report["benchmark"] == {"verdict": VERDICT}
    assert "benchmark_error" not in done.report
    assert not machine.uploads.exists()


def test_an_update_that_gives_no_answer_is_rolled_back(machine: Machine) -> None:
    machine.deploy("mic")
    first, config = machine.release, Path(layout.CONFIG).read_text()
    with pytest.raises(
        EdgeError, match=rf"^this machine: .* did not come up \(no answer .*\); {first} is running again$"
    ):
        machine.deploy("other", "silent", patience=0.1)
    assert (machine.release, Path(layout.CONFIG).read_text()) == (first, config)
    assert machine.started[-1] == first


def failing_wait(error: BaseException) -> Callable[..., service.Service]:
    """A wait for an answer that fails once."""
    wait, errors = service.wait_for_answer, [error]

    def fail_once(*arguments: object) -> service.Service:
        if errors:
            raise errors.pop()
        return wait(*arguments)  # type: ignore[arg-type]

    return fail_once


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("Expecting value"), r"unexpected ValueError: Expecting value"),
        (KeyError("state"), r"unexpected KeyError: 'state'"),
        (OSError(28, "No space left on device", "/tmp/x"), r"/tmp/x: No space left on device"),
        (RuntimeError(), r"unexpected RuntimeError"),
    ],
)
def test_any_exception_rolls_an_update_back(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    machine.deploy("mic")
    first = machine.release
    monkeypatch.setattr(service, "wait_for_answer", failing_wait(error))
    with pytest.raises(EdgeError, match=rf"did not come up \({reason}\); {first} is running again$"):
        machine.deploy("other")
    assert machine.release == first
    assert machine.started[-1] == first


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_rolls_an_update_back_and_goes_on(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    machine.deploy("mic")
    first = machine.release
    monkeypatch.setattr(service, "wait_for_answer", failing_wait(error()))
    with pytest.raises(error):
        machine.deploy("other")
    assert machine.release == first


def test_an_update_is_rolled_back_even_if_systemd_gives_no_state(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.deploy("mic")
    first = machine.release

    def wait_for_answer(host: ThisMachine, *arguments: object) -> service.Service:
        machine.systemd.reply_once("garbage\n")
        return service.query(host)

    monkeypatch.setattr(service, "wait_for_answer", wait_for_answer)
    with pytest.raises(EdgeError, match=rf"the rollback to {first} failed: unexpected reply from systemctl: garbage"):
        machine.deploy("other")
    assert machine.release == first
    assert machine.started[-1] == first


def test_a_status_that_vanishes_in_between_does_not_fail_a_deployment(machine: Machine) -> None:
    """The reply that had no status after a file that was there raised a JSONDecodeError."""
    machine.deploy("mic")
    vanished = (
        "ActiveState=active\nMainPID=9\nNRestarts=0\nStatusText=\nExecMainStartTimestampMonotonic=0\nUptime=9\nStatus="
    )
    machine.systemd.reply_once(f"{vanished}\n")
    machine.deploy("other")
    assert machine.lines[-1] == VERDICT


def test_a_first_deployment_that_fails_stays(machine: Machine) -> None:
    with pytest.raises(EdgeError, match=r"no answer within .*; the release stays installed and keeps trying"):
        machine.deploy("mic", "silent", patience=0.1)
    assert len(machine.started) == 1


def test_an_update_of_a_silent_release_is_not_expected_to_answer(machine: Machine) -> None:
    with contextlib.suppress(EdgeError):
        machine.deploy("mic", "silent", patience=0.1)
    machine.deploy("other", "silent", patience=0.1)
    assert any("runs without an answer, as the release before did" in line for line in machine.lines)


@pytest.mark.parametrize(
    ("benchmark", "reason"),
    [
        (None, "this release has no edge-benchmark"),
        (benchmark_of("echo 'error: no memory' >&2; exit 1"), "error: no memory"),
        (benchmark_of("""echo '{"verd' > "$2\""""), "unexpected JSONDecodeError: "),
        (benchmark_of("""echo '{}' > "$2\""""), "unexpected KeyError: 'verdict'"),
        (benchmark_of("""echo '[]' > "$2\""""), "unexpected TypeError: "),
    ],
)
def test_a_benchmark_that_fails_is_a_warning(machine: Machine, benchmark: str | None, reason: str) -> None:
    done = machine.deploy("mic", benchmark=benchmark)
    assert machine.lines[-1].startswith(f"warning: the release runs, but the benchmark failed: {reason}")
    assert done.report["benchmark"] is None
    assert done.report["benchmark_error"].startswith(reason)
    assert done.report["service"]["told"]["state"] == "music"


def test_a_build_that_is_interrupted_leaves_nothing(machine: Machine) -> None:
    machine.deploy("mic")
    first = machine.release

    class Interrupted(ThisMachine):
        """Its virtual environment is half made when Ctrl-C comes."""

        def run(self, script: Script, *, root: bool = False, stdin: bytes = b"") -> str:
            if "-m venv" in script or "cp -al" in script:
                (Path(layout.RELEASES) / self.new / "bin").mkdir(parents=True)
                raise KeyboardInterrupt
            return super().run(script, root=root, stdin=stdin)

    machine.host = Interrupted()
    now = machine.deployment()
    request = DeployRequest(make_wheel(machine.wheels, name="edge_listen-2.0"), device="other")
    release = request.release_on(machine.target)
    machine.host.new = release.name  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        now._build(request, release, current_release(machine.target), offline=False)
    assert [path.name for path in Path(layout.RELEASES).iterdir()] == [first]


def test_a_dry_run_shows_every_step_and_does_none(machine: Machine) -> None:
    now = machine.deployment(dry_run=True)
    now.deploy(DeployRequest(make_wheel(machine.wheels), device="mic"), offline=False)
    shown = "\n".join(machine.lines)
    for part in ("-m venv", "pip", "tar --extract", "systemctl --quiet enable", "restart", "edge-benchmark", "--json"):
        assert part in shown
    assert machine.systemd.calls == []
    assert list(Path(layout.HOME).iterdir()) == []
    assert not machine.uploads.exists()


def test_a_rollback_goes_one_release_back_and_no_further(machine: Machine) -> None:
    machine.deploy("mic")
    first = machine.release
    machine.deploy("other")
    machine.deployment(patience=5).roll_back()
    assert machine.release == first
    assert 'device = "mic"' in Path(layout.CONFIG).read_text()
    with pytest.raises(EdgeError, match=f"there is no release before {first}"):
        machine.deployment().roll_back()
