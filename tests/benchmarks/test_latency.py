"""The command as a user runs it, on the shipped model. What is measured is checked for sense, not for speed."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.benchmark.measurement import END_TO_END, STAGES
from edge.benchmark.worker import looped, process_status
from edge.model import SHIPPED

HEAVY = ("tensorflow", "keras", "librosa", "scipy", "sklearn", "matplotlib", "onnxruntime")
COST_FIELDS = {"p50_ms", "p95_ms", "p99_ms", "worst_ms", "cpu_ms_per_audio_s"}


def latency(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.latency", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def refused(*words: str | Path) -> tuple[int, str]:
    """Exit status and the one sentence of a command that printed nothing else."""
    done = latency(*words)
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    return done.returncode, sentence


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and something else."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copy(SHIPPED, folder / "model.tflite")
    (folder / "report.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> tuple[str, dict]:
    """What one run printed, and its report."""
    report = folder.parent / "latency.json"
    done = latency(folder, "--alone", "--seconds", "8", "--json", report)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout, json.loads(report.read_text())


def test_the_report_names_the_machine(run: tuple[str, dict]) -> None:
    for machine in (run[1]["machine"][when] for when in ("before", "after")):
        assert {"board", "cpu", "governor", "temperature_c", "throttling", "numpy"} <= set(machine)
        assert machine["python"] == sys.version.split()[0]


def test_the_report_has_all_costs_of_each_model_file_in_the_folder(run: tuple[str, dict], folder: Path) -> None:
    (model,) = run[1]["models"]
    assert model["model"] == "model.tflite"  # a report is passed on: nothing of where it was made
    assert model["model_bytes"] == SHIPPED.stat().st_size
    assert set(model["costs"]) == {*STAGES, END_TO_END}
    for cost in model["costs"].values():
        assert set(cost) == COST_FIELDS
        assert 0 <= cost["p50_ms"] <= cost["p95_ms"] <= cost["p99_ms"] <= cost["worst_ms"]
    assert model["hops"] == pytest.approx(8 / model["hop_s"] - model["first_answer_audio_s"] / model["hop_s"], abs=2)
    assert 0 < model["ready_ms"] < model["first_answer_ms"]
    assert model["resident_bytes"] <= model["peak_resident_bytes"]
    assert model["core_share"] > 0


def test_every_stage_was_at_work_and_together_they_are_end_to_end(run: tuple[str, dict]) -> None:
    costs = run[1]["models"][0]["costs"]
    cpu = {stage: cost["cpu_ms_per_audio_s"] for stage, cost in costs.items()}
    assert all(cpu[stage] > 0 for stage in STAGES)
    assert sum(cpu[stage] for stage in STAGES) == pytest.approx(cpu[END_TO_END])


def test_the_table_has_a_line_a_stage_and_ends_with_the_verdict(run: tuple[str, dict]) -> None:
    printed, report = run
    for stage in (*STAGES, END_TO_END):
        assert stage.replace("_", " ") in printed
    assert printed.splitlines()[-1] == report["verdict"]


def test_the_measured_process_has_only_what_a_device_has(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "source.wav", np.random.default_rng(0).normal(0, 0.1, 48_000), 48_000)
    words = [str(SHIPPED), str(tmp_path / "source.wav"), "--hop", "0.5", "--seconds", "6", "--spawned", "0"]
    code = (
        "import json, sys\n"
        "from benchmarks import latency, worker\n"
        f"sys.argv[1:] = {words}\n"
        "worker.main()\n"
        f"print(json.dumps(sorted(set({HEAVY}) & set(sys.modules))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_one_wrong_file_is_refused_before_any_is_measured(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(b"no model")
    status, sentence = refused(SHIPPED, wrong)
    assert status == 1
    assert sentence.startswith(f"error: {wrong}: no model card inside")


def test_audio_that_is_none_is_refused() -> None:
    status, sentence = refused("--audio", __file__)
    assert status == 1
    assert sentence.startswith(f"error: {__file__}: is no audio")


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == (1, f"error: {tmp_path}: no .tflite or .onnx file in this folder")


@pytest.mark.parametrize(
    "words", [("--seconds", "0"), ("--seconds", "nan"), ("--hop", "0.001"), ("--hop", "90"), ("--rate", "7")]
)
def test_numbers_that_cannot_be_are_words_that_are_off(words: tuple[str, str]) -> None:
    status, sentence = refused(*words)
    assert status == 2
    assert words[0] in sentence


def test_audio_that_is_too_short_to_measure_says_so() -> None:
    done = latency("--seconds", "2")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("error: ")
    assert "give more --seconds" in sentence


def test_audio_starts_again_where_it_ends(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "ramp.wav", np.arange(5) / 8, 48_000, subtype="FLOAT")
    blocks = list(looped(tmp_path / "ramp.wav", length=4, count=3))
    heard = np.concatenate(blocks)[:, 0] * 8
    assert heard.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]


def test_memory_is_told_in_bytes() -> None:
    status = process_status()
    assert 10_000_000 < status["VmRSS"] <= status["VmHWM"]
    assert status["Threads"] >= 1


def test_the_network_is_measured_in_the_words_of_benchmark_model(run: tuple[str, dict]) -> None:
    printed, report = run
    measured = report["models"][0]["benchmark_model"]
    assert measured["num_threads"] == 1
    assert measured["Init"] > measured["Inference (avg)"] >= measured["min"] > 0
    assert measured["count"] >= 50
    assert f"Inference timings in us: Init: {measured['Init']:.0f}, First inference: " in printed


def test_in_real_time_a_second_takes_a_second() -> None:
    began = time.monotonic()
    done = latency("--alone", "--pace", "--seconds", "7", "--hop", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began >= 7 - 3.5  # the audio before the first answer isn't waited for


def test_the_source_may_have_another_rate(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = latency("--alone", "--seconds", "8", "--rate", "22050", "--json", report)
    assert (done.returncode, done.stderr) == (0, "")
    written = json.loads(report.read_text())
    assert written["source_rate_hz"] == 22_050
    assert written["models"][0]["hops"] > 5


def test_a_rival_that_fails_costs_none_of_our_own_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kaldi's package is there and broken, the others are not there."""
    for package in ("librosa", "tf2onnx", "essentia"):
        (tmp_path / f"{package}.py").write_text("")  # found before the real one, and of no use
    (tmp_path / "kaldi_native_fbank.py").write_text("raise ImportError('built for another numpy')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    done = latency("--seconds", "6", "--json", tmp_path / "report.json")
    assert done.returncode == 0, done.stderr
    assert "not measured: kaldi-native-fbank: " in done.stdout
    assert "built for another numpy" in done.stdout
    assert json.loads((tmp_path / "report.json").read_text())["rivals"] == []
