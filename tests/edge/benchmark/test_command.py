"""The command as a user runs it, on the shipped model. The numbers are checked for sense, not for speed."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.benchmark.measurement import END_TO_END, STAGES
from edge.model.load import SHIPPED_MODEL

pytestmark = pytest.mark.slow

COST_FIELDS = {"p50_ms", "p95_ms", "p99_ms", "worst_ms", "cpu_ms_per_audio_s"}


def benchmark(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge.cli.benchmark", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def refused(*arguments: str | Path) -> tuple[int, str]:
    """Exit status and the one sentence of a command that printed nothing else."""
    done = benchmark(*arguments)
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    return done.returncode, sentence


def threads_of_python() -> int:
    """Threads of an interpreter that does nothing: 1, and 2 under QEMU."""
    code = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('Threads')))"
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and another file."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copy(SHIPPED_MODEL, folder / "model.tflite")
    (folder / "report.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> tuple[str, dict]:
    """Output of one run, and its report."""
    report = folder.parent / "benchmark.json"
    done = benchmark("--model", folder, "--seconds", "8", "--json", report)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout, json.loads(report.read_text())


def test_the_report_names_the_machine(run: tuple[str, dict]) -> None:
    for machine in (run[1]["machine"][when] for when in ("before", "after")):
        assert {"board", "cpu", "governor", "temperature_c", "throttling", "numpy"} <= set(machine)
        assert machine["python"] == sys.version.split()[0]


def test_the_report_has_all_costs_of_each_model_file_in_the_folder(run: tuple[str, dict], folder: Path) -> None:
    (model,) = run[1]["models"]
    assert model["model"] == "model.tflite"  # reports are published: no path of this machine
    assert model["model_bytes"] == SHIPPED_MODEL.stat().st_size
    assert set(model["costs"]) == {*STAGES, END_TO_END}
    for cost in model["costs"].values():
        assert set(cost) == COST_FIELDS
        assert 0 <= cost["p50_ms"] <= cost["p95_ms"] <= cost["p99_ms"] <= cost["worst_ms"]
    assert model["hops"] == pytest.approx(8 / model["hop_s"] - model["first_answer_audio_s"] / model["hop_s"], abs=2)
    assert 0 < model["ready_ms"] < model["first_answer_ms"]
    assert model["resident_bytes"] <= model["peak_resident_bytes"]
    assert model["core_share"] > 0
    assert model["process_threads"] == threads_of_python()  # none of numpy's BLAS


def test_every_stage_was_at_work_and_together_they_are_end_to_end(run: tuple[str, dict]) -> None:
    costs = run[1]["models"][0]["costs"]
    cpu = {stage: cost["cpu_ms_per_audio_s"] for stage, cost in costs.items()}
    assert all(cpu[stage] > 0 for stage in STAGES)
    assert sum(cpu[stage] for stage in STAGES) == pytest.approx(cpu[END_TO_END])


def test_the_whole_command_is_measured_beside_the_loop(run: tuple[str, dict]) -> None:
    printed, report = run
    command = report["models"][0]["whole_command"]
    assert (command["runs"], command["short_audio_s"], command["long_audio_s"]) == (3, 30, 150)
    assert command["cpu_ms_per_audio_s"]["min"] > 0
    assert command["start_up_cpu_ms"]["median"] > 20
    assert f"{command['cpu_ms_per_audio_s']['min']:.3f}" in printed
    assert "edge-listen FILE --json > /dev/null" in printed


def test_the_network_is_measured_in_the_words_of_benchmark_model(run: tuple[str, dict]) -> None:
    printed, report = run
    measured = report["models"][0]["benchmark_model"]
    assert measured["num_threads"] == 1
    assert measured["Init"] > measured["Inference (avg)"] >= measured["min"] > 0
    assert measured["count"] >= 50
    assert f"Inference timings in us: Init: {measured['Init']:.0f}, First inference: " in printed


def test_the_output_ends_with_the_verdict(run: tuple[str, dict]) -> None:
    printed, report = run
    for stage in (*STAGES, END_TO_END):
        assert stage.replace("_", " ") in printed
    assert printed.splitlines()[-1] == report["verdict"]


def test_the_keys_of_a_report_are_those_that_boards_have_sent(run: tuple[str, dict]) -> None:
    keys = "version machine audio audio_seconds source_rate_hz paced models rivals verdict"
    assert list(run[1]) == keys.split()
    assert run[1]["rivals"] == []


def test_one_wrong_file_is_refused_before_any_is_measured(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(b"no model")
    status, sentence = refused("--model", SHIPPED_MODEL, wrong)
    assert status == 1
    assert sentence.startswith(f"error: {wrong}: ")


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    out = tmp_path / "missing" / "report.json"
    assert refused("--json", out) == (1, f"error: {out}: No such file or directory")


def test_a_file_that_is_not_audio_is_refused() -> None:
    status, sentence = refused("--audio", __file__)
    assert status == 1
    assert sentence.startswith(f"error: {__file__}: ")


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    assert refused("--model", tmp_path) == (1, f"error: {tmp_path}: no .tflite or .onnx file in this folder")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seconds", "0"),
        ("--seconds", "nan"),
        ("--seconds", "1e300"),
        ("--hop", "0.001"),
        ("--hop", "90"),
        ("--rate", "7"),
    ],
)
def test_a_number_out_of_range_is_an_invalid_argument(arguments: tuple[str, str]) -> None:
    status, sentence = refused(*arguments)
    assert status == 2
    assert arguments[0].removeprefix("--") in sentence


def test_audio_that_is_too_short_to_measure_is_refused() -> None:
    done = benchmark("--seconds", "2")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("error: ")
    assert "increase --seconds" in sentence


def test_the_version_is_printed() -> None:
    done = benchmark("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("edge-benchmark ")


@pytest.mark.slow
def test_in_real_time_a_second_takes_a_second() -> None:
    began = time.monotonic()
    done = benchmark("--pace", "--seconds", "7", "--hop", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began >= 7 - 3.5  # the audio before the first answer is not waited for
    assert "in real time" in done.stdout


@pytest.mark.slow
def test_the_source_may_have_another_rate(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = benchmark("--seconds", "8", "--rate", "22050", "--json", report)
    assert (done.returncode, done.stderr) == (0, "")
    written = json.loads(report.read_text())
    assert written["source_rate_hz"] == 22_050
    assert written["models"][0]["hops"] > 5
