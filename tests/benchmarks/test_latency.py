"""The command that compares with competitors; tests/edge/benchmark tests the measurement itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.model.load import SHIPPED_MODEL


def latency(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.latency", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_competitor_that_fails_costs_none_of_our_own_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kaldi's package is installed and broken, the others are not installed."""
    for package in ("librosa", "tf2onnx", "essentia"):
        (tmp_path / f"{package}.py").write_text("")  # found before the real one, and useless
    (tmp_path / "kaldi_native_fbank.py").write_text("raise ImportError('built for another numpy')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    done = latency("--seconds", "6", "--json", tmp_path / "report.json")
    assert done.returncode == 0, done.stderr
    assert "not measured: kaldi-native-fbank: " in done.stdout
    assert "built for another numpy" in done.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["rivals"] == []
    assert report["models"][0]["hops"] > 0
    assert done.stdout.splitlines()[-1] == report["verdict"]


@pytest.mark.slow
def test_model_files_alone_are_measured_without_competitors() -> None:
    done = latency(SHIPPED_MODEL, "--alone", "--seconds", "6")
    assert (done.returncode, done.stderr) == (0, "")
    assert "not measured" not in done.stdout


def test_one_wrong_file_is_refused_before_any_is_measured(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(b"no model")
    done = latency(SHIPPED_MODEL, wrong)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {wrong}: ")


def test_a_number_out_of_range_is_an_invalid_argument() -> None:
    done = latency("--rate", "7")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --rate 7: must be from 1000 to 768000\n"
