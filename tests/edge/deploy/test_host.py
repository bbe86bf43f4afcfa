"""Scripts and files that go somewhere, here by no ssh; tests/pi/test_deploy.py goes by a real one."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from deployed import target
from deployed import wheel as make_wheel
from support import Run, one_sentence, wait_for

from edge.deploy import layout, scripts
from edge.deploy.host import SshHost, ThisMachine
from edge.deploy.release import Wanted
from edge.errors import EdgeError


def test_a_script_gives_what_it_prints_and_takes_what_it_is_given() -> None:
    assert ThisMachine().run("cat; echo after", text="text\n") == "text\nafter\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo one >&2; echo two >&2; exit 3", "two"),
        ("echo only; exit 1", "only"),
        ("exit 7", "exit status 7"),
        ("$no", "no"),
    ],
)
def test_a_script_that_fails_is_told_by_its_last_words(script: str, said: str) -> None:
    with pytest.raises(EdgeError, match=f"^this machine: .*{said}"):
        ThisMachine().run(script)


def test_files_are_copied(tmp_path: Path) -> None:
    (tmp_path / "my file").write_text("content")
    (tmp_path / "to").mkdir()
    ThisMachine().copy([tmp_path / "my file"], str(tmp_path / "to"))
    assert (tmp_path / "to/my file").read_text() == "content"
    with pytest.raises(EdgeError, match="no such folder"):
        ThisMachine().copy([tmp_path / "my file"], str(tmp_path / "no such folder/in here"))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("pi@raspberrypi.local", "pi@raspberrypi.local:/tmp/x/"),
        ("kitchen", "kitchen:/tmp/x/"),
        ("pi@fe80::1", "pi@[fe80::1]:/tmp/x/"),
        ("ssh://pi@host:2222", "scp://pi@host:2222//tmp/x/"),
    ],
)
def test_scp_is_told_the_place_in_its_own_way(name: str, place: str) -> None:
    host = SshHost(name)
    assert host.copy_command([Path("a")], "/tmp/x")[-1] == place
    host.close()


def test_every_script_is_one_that_a_shell_understands(tmp_path: Path) -> None:
    model = tmp_path / "it's mine.tflite"
    model.write_bytes(b"model")
    release = Wanted(make_wheel(tmp_path), model=model).on(target())
    written = [
        scripts.install_packages(["libportaudio2"], "/home/pi/x"),
        *(scripts.make_environment(release, copied) for copied in (None, "before")),
        *(
            scripts.install_wheel(release, "/home/pi/x", "w.whl", *how)
            for how in ((True, False), (False, False), (False, True))
        ),
        *(scripts.complete(release, "/home/pi/x", brought) for brought in (True, False)),
        scripts.abandon("name"),
        *(scripts.switch("name", tell) for tell in (scripts.RESTART, scripts.RELOAD)),
        *(scripts.put_config("name", before) for before in (None, "before")),
        scripts.restore_config("name", "abandoned"),
        scripts.prune(["a", "b"]),
        scripts.remove("/home/pi/x"),
        scripts.benchmark("/home/pi/x/report.json"),
    ]
    shell = shutil.which("dash") or "sh"
    for script in written:
        done = subprocess.run([shell, "-n", "-c", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), script


def test_nothing_of_an_interrupted_step_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "RELEASES", str(tmp_path))
    for name in ("0.1.0-new", "0.1.0-newer"):
        (tmp_path / name).mkdir()
    writes = "while mkdir -p {0} && date > {0}/file; do sleep 0.01; done"
    with subprocess.Popen(["sh", "-c", writes.format(tmp_path / "0.1.0-new")]) as step:
        wait_for((tmp_path / "0.1.0-new/file").exists)
        ThisMachine().run(scripts.abandon("0.1.0-new"))
        assert step.wait(10) == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == ["0.1.0-newer"]
    ThisMachine().run(scripts.abandon("0.1.0-new"))


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "give one HOST or more, or --here"),
        (["pi@host", "--here"], 2, "give one HOST or more, or --here"),
        (["pi@host", "pi@host"], 2, "given twice"),
        (["pi@host", "--model", "no.tflite"], 1, "no.tflite: can't read the model"),
        (["pi@host", "--config", "no.toml"], 2, "no.toml"),
        (["pi@host", "--wheel", "no-1.0-py3-none-any.whl"], 1, "no wheel"),
        (["pi@no-such-host.invalid", "--status"], 1, "no-such-host.invalid"),
    ],
)
def test_bad_words_get_one_sentence(run: Run, words: list[str], status: int, said: str) -> None:
    done = run("edge.deploy", *words)
    assert done.returncode == status
    assert said in one_sentence(done)


def test_it_does_not_need_numpy_to_say_what_it_takes(run: Run) -> None:
    done = run("edge.deploy", "--help")
    assert done.returncode == 0
    assert "raspberrypi.local" in done.stdout
