"""Exit statuses: 0 done, 1 for what went wrong outside the command, 2 for a wrong command line or configuration."""

import signal
import subprocess
from pathlib import Path

import pytest
from golden.commands import DEADLINE_SECONDS, PipedListener, command, demo, environment, run
from golden.recording import check, json_lines

INVALID_TOML, UNKNOWN_KEY, NO_AUDIO = "invalid.toml", "unknown.toml", "text.wav"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files with which a command must fail."""
    (tmp_path / INVALID_TOML).write_text("this is not = = TOML\n")
    (tmp_path / UNKNOWN_KEY).write_text("hopp = 0.5\n")
    (tmp_path / NO_AUDIO).write_text("text\n")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        "edge-listen --help",
        "edge-listen --demo",
        "edge-listen --demo --check",
        "edge-label --help",
        "edge-history --help",
        "edge-deploy --help",
    ],
)
def test_0_when_done(words: str, folder: Path) -> None:
    assert run(*words.split(), cwd=folder).returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        "edge-listen missing.wav --json",
        "edge-listen . --json",
        f"edge-listen {NO_AUDIO} --json",
        "edge-listen --demo --model missing.tflite --json",
        f"edge-listen --demo --model {NO_AUDIO} --json",
        "edge-label . --model missing.tflite",
        "edge-history --file missing.db labels --json",
        f"edge-history --file {NO_AUDIO} labels --json",
        "edge-deploy host.invalid",
        "edge-deploy host.invalid --model missing.tflite",
    ],
)
def test_1_and_nothing_on_standard_output_when_something_is_missing(words: str, folder: Path) -> None:
    done = run(*words.split(), cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")


def test_1_when_there_is_too_little_audio_for_an_answer() -> None:
    with PipedListener() as listener:
        listener.write(demo(0, 0.02))
        assert listener.finish() == 1
    check("too_short.jsonl", "".join(listener.lines), json_lines)


def test_1_when_a_check_fails(folder: Path) -> None:
    assert run("edge-listen", "missing.wav", "--check", cwd=folder).returncode == 1


def test_1_when_an_audio_file_to_label_is_missing(folder: Path) -> None:
    assert run("edge-label", "missing.wav", cwd=folder).returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        "edge-listen --loud",
        "edge-listen --demo some.wav",
        "edge-listen --demo --device hw:1",
        "edge-listen some.wav --device hw:1",
        f"edge-listen --demo --config {INVALID_TOML}",
        f"edge-listen --demo --config {UNKNOWN_KEY}",
        "edge-listen --demo --config missing.toml",
        "edge-listen --demo --hop 0",
        "edge-listen --demo --top-k 0",
        "edge-listen --demo --duration 0",
        "edge-listen --demo --threads 0",
        "edge-listen --demo --channel 0",
        "edge-listen - --rate 1",
        "edge-listen - --channels 0",
        "edge-listen - --bits 24",
        "edge-listen --demo --prometheus port",
        "edge-label",
        "edge-label . --loud",
        "edge-label . --out labels.txt",
        "edge-history --file missing.db",
        "edge-history labels",
        "edge-history --file missing.db --config missing.toml labels",
        f"edge-history --config {INVALID_TOML} labels",
        "edge-history --file missing.db day 2026-02-30",
        "edge-history --file missing.db labels --since 2026-02-02 --until 2026-02-01",
        "edge-deploy",
        "edge-deploy --loud",
        "edge-deploy --here host.invalid",
        "edge-deploy host.invalid host.invalid",
        "edge-deploy host.invalid --status --rollback",
        f"edge-deploy host.invalid --config {INVALID_TOML}",
    ],
)
def test_2_and_nothing_on_standard_output_for_a_wrong_command_line(words: str, folder: Path) -> None:
    done = run(*words.split(), cwd=folder, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_0_when_a_listener_is_stopped(number: signal.Signals) -> None:
    with PipedListener() as listener:
        listener.write(demo(0, 2))
        listener.until(lambda answer: answer["t"] == 1.0)
        assert listener.stop(number) == 0


def test_0_when_the_reader_closes_the_pipe() -> None:
    words = command("edge-listen", "--demo", "--json", "--hop", "0.05")
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(DEADLINE_SECONDS) == 0
