"""Values out of range: one sentence and status 2 before anything is opened, whatever the source of audio is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import Run, one_sentence

from edge.cli.exit_status import run as run_command
from edge.cli.listen import command, mqtt_broker, parser, prometheus_port

CONTENT = bytes(1000)  # of a pipe that must not be read
OUT_OF_RANGE = [
    (["--hop", "0"], "--hop 0: must be above 0 and at most 60 s"),
    (["--hop", "-1"], "--hop -1: must be above 0 and at most 60 s"),
    (["--hop", "61"], "--hop 61: must be above 0 and at most 60 s"),
    (["--hop", "nan"], "--hop must be a number, got nan"),
    (["--rate", "1"], "--rate 1: must be from 1000 to 768000"),
    (["--rate", "10000000"], "--rate 10000000: must be from 1000 to 768000"),
    (["--channels", "0"], "--channels 0: must be from 1 to 1024"),
    (["--channels", "1000000000"], "--channels 1000000000: must be from 1 to 1024"),
    (["--channels", "1" + "0" * 30], "--channels is a number with more than 64 bits"),
    (["--bits", "24"], "--bits 24: must be 16 or 32"),
    (["--channel", "0"], "--channel 0: must be from 1 to 1024"),
    (["--top-k", "0"], "--top-k 0: must be at least 1"),
    (["--threads", "0"], "--threads 0: must be from 1 to 64"),
    (["--duration", "-1"], "--duration -1: must be above 0 s"),
]
TOO_SHORT_FOR_THE_MODEL = (["--hop", "0.001"], "--hop 0.001: must be from 0.046 to 60 s with this model")


def status(arguments: list[str]) -> int:
    """Run edge-listen in this process."""
    return run_command(lambda: command(vars(parser().parse_args(arguments))))


@pytest.mark.parametrize(("arguments", "sentence"), OUT_OF_RANGE)
@pytest.mark.parametrize("source", [["--demo"], ["-"], ["--device", "hw:99"]], ids=["file", "pipe", "microphone"])
def test_a_value_out_of_range_is_one_sentence_for_every_source(
    arguments: list[str], sentence: str, source: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: no source is opened, so that none has to exist."""
    assert status([*source, *arguments]) == 2
    assert capsys.readouterr() == ("", f"error: {sentence}\n")


@pytest.mark.parametrize("source", [["--demo"], ["-"], ["--device", "hw:99"]], ids=["file", "pipe", "microphone"])
@pytest.mark.parametrize(("arguments", "sentence"), [OUT_OF_RANGE[0], TOO_SHORT_FOR_THE_MODEL])
def test_a_value_out_of_range_is_refused_before_anything_is_opened(
    arguments: list[str], sentence: str, source: list[str], tmp_path: Path
) -> None:
    reader, writer = os.pipe()
    os.write(writer, CONTENT)
    history = tmp_path / "history.db"
    words = [sys.executable, "-m", "edge.cli.listen", *source, *arguments, "--history", str(history)]
    done = subprocess.run(words, stdin=reader, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {sentence}\n")
    assert not history.exists()
    assert os.read(reader, 2 * len(CONTENT)) == CONTENT
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["none.wav"], 1, "no such file"),
        (["."], 1, "is a folder"),
        (["pyproject.toml"], 1, "not an audio file"),
        (["--demo", "some.wav"], 2, "INPUT, --device and --demo exclude each other"),
        (["--demo", "--device", "hw:1"], 2, "INPUT, --device and --demo exclude each other"),
        (["--demo", "--model", "none.tflite"], 1, "No such file"),
        (["--demo", "--model", "pyproject.toml"], 1, "must end in .tflite or .onnx"),
        (["--demo", "--config", "none.toml"], 2, "none.toml: No such file"),
    ],
)
def test_a_mistake_is_one_sentence(run: Run, arguments: list[str], status: int, sentence: str) -> None:
    done = run("edge.cli.listen", *arguments)
    assert done.returncode == status
    assert sentence in one_sentence(done)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("broker", {"host": "broker"}),
        ("broker:1884", {"host": "broker", "port": 1884}),
        ("::1", {"host": "::1"}),
        ("[::1]:1884", {"host": "::1", "port": 1884}),
    ],
)
def test_a_broker_is_a_host_with_or_without_a_port(text: str, table: dict[str, object]) -> None:
    assert mqtt_broker(text) == table


@pytest.mark.parametrize(
    ("text", "table"), [("9753", {"port": 9753}), ("0.0.0.0:9753", {"port": 9753, "address": "0.0.0.0"})]
)
def test_metrics_are_served_at_a_port_with_or_without_an_address(text: str, table: dict[str, object]) -> None:
    assert prometheus_port(text) == table


def test_text_that_is_not_a_port_is_status_2(run: Run) -> None:
    done = run("edge.cli.listen", "--demo", "--prometheus", "abc")
    assert done.returncode == 2
    assert "expected PORT or ADDRESS:PORT, got 'abc'" in done.stderr


def test_an_unknown_option_is_status_2(run: Run) -> None:
    assert run("edge.cli.listen", "--loud").returncode == 2
