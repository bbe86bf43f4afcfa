import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import Run, one_sentence

CHECK = [sys.executable, "-m", "edge.cli.listen", "-", "--check"]


def test_each_part_that_works_is_a_line(run: Run, melody: Path, tmp_path: Path) -> None:
    done = run("edge.cli.listen", melody, "--check", "--history", tmp_path / "history.db")
    assert (done.returncode, done.stderr) == (0, "")
    model, source, outputs = done.stdout.splitlines()
    assert model.startswith("model: edge, float32, 11 labels, ")
    assert source.startswith(f"source: {melody}, -")
    assert source.endswith(" dB re full scale")
    assert outputs.lower().startswith("outputs: history")


def test_exact_zeros_are_a_question(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "zeros.wav", np.zeros((8000, 2)), 8000)
    assert "exact zeros: is it muted?" in run("edge.cli.listen", tmp_path / "zeros.wav", "--check").stdout


def test_every_part_that_does_not_work_is_named(run: Run) -> None:
    done = run("edge.cli.listen", "none.wav", "--check", "--model", "none.tflite", "--mqtt", "broker")
    assert done.returncode == 1
    model, source = one_sentence(done).splitlines()
    assert model.startswith("error: model: none.tflite: ")
    assert source == "error: source: none.wav: no such file"
    assert done.stdout.lower() == "outputs: mqtt\n"


def test_an_empty_standard_input_is_one_sentence() -> None:
    done = subprocess.run(CHECK, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: source: standard input: contains no audio\n"


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_a_closed_standard_input_is_one_sentence(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "edge.cli.listen", "-", *arguments]
    done = subprocess.run(["sh", "-c", '"$0" "$@" <&-', *command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert one_sentence(done).endswith("standard input is closed\n")


def test_a_second_of_a_pipe_is_enough() -> None:
    reader, writer = os.pipe()
    with subprocess.Popen(CHECK, stdin=reader, stdout=subprocess.PIPE, text=True) as process:
        os.close(reader)
        os.write(writer, (np.ones(48_000, "<i2") * 3277).tobytes()[:65_536])
        os.write(writer, (np.ones(48_000, "<i2") * 3277).tobytes()[65_536:])
        output, _ = process.communicate(timeout=60)  # the pipe is still open
    os.close(writer)
    assert process.returncode == 0
    assert "source: standard input, -20 dB re full scale" in output
