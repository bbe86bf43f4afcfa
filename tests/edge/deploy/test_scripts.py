"""The scripts, really run by sh, in folders whose names a shell could misread."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from helpers.deployed import FakeSystemd, target
from helpers.deployed import wheel as make_wheel
from helpers.support import wait_for
from hypothesis import given
from hypothesis import strategies as st

from edge.deploy import layout, scripts
from edge.deploy.deployment import archive
from edge.deploy.host import ThisMachine
from edge.deploy.release import DeployRequest, Release
from edge.errors import EdgeError

HOMES = ["first last", "o'neill", 'a "b"', "$HOME", "`id`", "a;b", "*", "~", "two\nlines", "-rf", "back\\slash", "é"]
# Stands for edge-listen: it needs the files that it is given.
PROGRAM = """\
import sys
from pathlib import Path

def main():
    assert all(Path(sys.argv[sys.argv.index(option) + 1]).read_bytes() for option in ("--config", "--model"))
"""
ENTRY = "[console_scripts]\nedge-listen = edge.program:main\n"


def uploads_of(home: Path) -> str:
    return f"{home}/.cache/edge-deploy"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("name", HOMES)
def test_uploads_arrive_in_the_home_and_leave_with_their_folder(name: str, tmp_path: Path) -> None:
    home, sent = tmp_path / "home" / name, tmp_path / "my model's $HOME.tflite"
    home.mkdir(parents=True)
    sent.write_text("model")
    host, uploads = ThisMachine(), uploads_of(home)
    host.run(scripts.make_uploads(uploads))
    host.run(scripts.unpack(f"{uploads}/{scripts.WHEELS}"), stdin=archive([sent]))
    assert files(home) == {
        *(".cache", ".cache/edge-deploy", ".cache/edge-deploy/wheels"),
        f".cache/edge-deploy/wheels/{sent.name}",
    }
    host.run(scripts.remove_uploads(uploads))
    assert files(home) == {".cache"}


@pytest.mark.parametrize("name", HOMES)
def test_homes_of_other_users_survive(name: str, tmp_path: Path, systemd: FakeSystemd) -> None:
    """`rm -rf /home/first last/.cache` would remove /home/first."""
    homes = [tmp_path / "home" / each for each in {name, *name.split(), "first", "last"}]
    for home in homes:
        (home / ".cache").mkdir(parents=True)
        (home / "letters").touch()
    before, uploads = files(tmp_path / "home"), uploads_of(tmp_path / "home" / name)
    for step in (scripts.make_uploads, scripts.remove_uploads, scripts.make_uploads, scripts.remove):
        ThisMachine().run(step(uploads))
    assert files(tmp_path / "home") == before
    assert systemd.calls == ["disable"]


@given(st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_only_the_folder_itself_is_removed(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("home")
    for each in {name, *name.split(), "other"} - {".", ".."}:
        (folder / each / ".cache/edge-deploy/file").mkdir(parents=True)
    before = files(folder)
    ThisMachine().run(scripts.remove_uploads(uploads_of(folder / name)))
    assert before - files(folder) == {each for each in before if each.startswith(f"{name}/.cache/edge-deploy")}


def release_with(wheel: Path, model: Path | None = None, **changes: object) -> Release:
    return DeployRequest(wheel, model=model).release_on(target(**changes))


@pytest.mark.slow
def test_a_release_is_built_from_uploads_in_a_home_with_a_nasty_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)  # what is installed is imported, not this checkout
    monkeypatch.setattr(layout, "RELEASES", str(tmp_path / "releases"))
    model = tmp_path / "it's my $model.tflite"
    model.write_bytes(b"mine")
    program = {"edge/program.py": PROGRAM.encode(), "edge_listen-1.0.dist-info/entry_points.txt": ENTRY.encode()}
    wheel = make_wheel(tmp_path, program)
    host, uploads = ThisMachine(), uploads_of(tmp_path / "first last's $HOME; *")
    first = release_with(wheel, model)
    for name in ("unit", "config", "release.json"):
        (tmp_path / name).write_text(name)
    sent = [wheel, model, *(tmp_path / name for name in ("unit", "config", "release.json"))]
    host.run(scripts.make_uploads(uploads))
    host.run(scripts.unpack(uploads), stdin=archive(sent))
    host.run(scripts.unpack(f"{uploads}/{scripts.WHEELS}"), stdin=archive([]))
    host.run(scripts.make_environment(first, None))
    host.run(scripts.install_wheel(first, uploads, wheel.name, brought=True, same_requirements=False))
    host.run(scripts.complete(first, uploads, model_uploaded=True))
    folder = tmp_path / "releases" / first.name
    assert (folder / "model").read_bytes() == b"mine"
    assert (folder / layout.RECORD).read_text() == "release.json"

    second = Release(**{**vars(first), "name": "1.0-second", "before": first.name})
    host.run(scripts.make_environment(second, first.name))
    host.run(scripts.install_wheel(second, uploads, wheel.name, brought=False, same_requirements=True))
    host.run(scripts.complete(second, uploads, model_uploaded=False))
    command = (tmp_path / "releases/1.0-second/bin/edge-listen").read_text()
    assert "/1.0-second/bin/python" in command.splitlines()[0]
    assert first.name not in command
    assert (tmp_path / "releases/1.0-second/model").read_bytes() == b"mine"
    assert host.run(scripts.read_record("1.0-second")) == "release.json"
    assert host.run(scripts.read_record("1.0-missing")) == ""

    with pytest.raises(EdgeError):
        host.run(scripts.make_environment(second, None))  # its folder is there already


def test_every_script_is_understood_by_a_shell(tmp_path: Path) -> None:
    model, uploads = tmp_path / "it's mine.tflite", "/home/first last's/x"
    model.write_bytes(b"model")
    release = release_with(make_wheel(tmp_path), model)
    written = [
        scripts.install_packages(["libportaudio2"], uploads),
        *(scripts.make_environment(release, copied) for copied in (None, "before")),
        *(
            scripts.install_wheel(release, uploads, "w.whl", *how)
            for how in ((True, False), (False, False), (False, True))
        ),
        *(scripts.complete(release, uploads, uploaded) for uploaded in (True, False)),
        scripts.abandon("name"),
        *(scripts.switch("name", restart) for restart in (scripts.RESTART, scripts.RELOAD)),
        *(scripts.put_config("name", before) for before in (None, "before")),
        scripts.restore_config("name", "abandoned"),
        scripts.prune(["a", "b"]),
        scripts.remove(uploads),
        scripts.benchmark(f"{uploads}/report.json"),
    ]
    shell = shutil.which("dash") or "sh"
    for script in written:
        done = subprocess.run([shell, "-n", "-c", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), script


def test_an_abandoned_release_is_removed_with_the_step_that_still_writes(systemd: FakeSystemd) -> None:
    releases = Path(layout.RELEASES)
    for name in ("0.1.0-new", "0.1.0+new.er"):
        (releases / name).mkdir(parents=True)
    writes = 'while mkdir -p "$0" && date > "$0/file"; do sleep 0.01; done'
    for name, kept in (("0.1.0-new", ["0.1.0+new.er"]), ("0.1.0+new.er", [])):
        with subprocess.Popen(["sh", "-c", writes, releases / name]) as step:
            wait_for((releases / name / "file").exists)
            ThisMachine().run(scripts.abandon(name))
            assert step.wait(10) == -signal.SIGKILL
        assert [path.name for path in releases.iterdir()] == kept
        ThisMachine().run(scripts.abandon(name))


def test_other_releases_are_pruned(systemd: FakeSystemd) -> None:
    for name in ("1.0-a", "1.0-b", "1.0-c", "broken on the way"):
        (Path(layout.RELEASES) / name / "share").mkdir(parents=True)
    ThisMachine().run(scripts.prune(["1.0-a", "1.0-c"]))
    assert sorted(path.name for path in Path(layout.RELEASES).iterdir()) == ["1.0-a", "1.0-c"]


def test_edits_of_the_configuration_survive_a_rollback(systemd: FakeSystemd) -> None:
    for name in ("1.0-old", "1.0-new"):
        share = Path(scripts.share_of(name))
        share.mkdir(parents=True)
        (share / "config").write_text(f"{name}\n")
    config, host = Path(layout.CONFIG), ThisMachine()
    config.write_text("edited by hand\n")
    host.run(scripts.put_config("1.0-new", "1.0-old"))
    assert config.read_text() == "1.0-new\n"
    host.run(scripts.restore_config("1.0-old", "1.0-new"))
    assert config.read_text() == "edited by hand\n"


def test_a_release_without_the_benchmark_says_so(systemd: FakeSystemd) -> None:
    with pytest.raises(EdgeError, match="this release has no edge-benchmark"):
        ThisMachine().run(scripts.benchmark("/no report"))
