"""The folder that boards' reports are sent to, and the command that shows them."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from helpers.measurements import measurement, results

from benchmarks.cost.boards.__main__ import HERE
from benchmarks.cost.boards.report import OPTIONAL, REQUIRED, read
from edge.benchmark.measurement import END_TO_END
from edge.benchmark.report import report

SENT = sorted(HERE.glob("*.json"))


def command(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(run, capture_output=True, text=True, check=False)


def refused(*arguments: str | Path) -> tuple[int, str]:
    """Exit status and the one sentence of a command that printed nothing else."""
    done = command("benchmarks.cost.boards", *arguments)
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    return done.returncode, sentence


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of made-up results, with a competitor."""
    path = tmp_path_factory.mktemp("board") / "board.json"
    path.write_text(json.dumps(report(results(measurement("model.tflite")), [measurement("librosa")])))
    return path


def assert_read_whole(path: Path) -> None:
    written = json.loads(path.read_text(encoding="utf-8"))
    for kind, required in REQUIRED.items():
        beside = required | OPTIONAL
        written[kind] = [{k: v for k, v in fields.items() if k not in beside} for fields in written[kind]]
    assert json.loads(json.dumps(asdict(read(path)))) == written


def test_the_folder_is_not_empty() -> None:
    assert SENT


def test_every_report_of_the_folder_is_in_the_table() -> None:
    done = command("benchmarks.cost.boards")
    assert (done.returncode, done.stderr) == (0, "")
    reports = [read(path) for path in SENT]
    head, *lines = done.stdout.split("\n\n")[0].splitlines()
    assert head.startswith("board or CPU")
    assert len(lines) == sum(len(report.models) for report in reports)
    for each in reports:
        assert any(line.startswith(each.machine.after.identity) for line in lines)


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.name)
def test_a_report_of_the_folder_is_named_in_lower_case_and_holds_no_home_folder(path: Path) -> None:
    assert re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*\.json", path.name)
    assert not re.search(r"/(home|Users)/", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.name)
def test_a_report_of_the_folder_is_read_whole(path: Path) -> None:
    assert_read_whole(path)


def test_a_new_report_is_read_whole(measured: Path) -> None:
    assert_read_whole(measured)


@pytest.mark.slow
def test_what_edge_benchmark_writes_is_read_whole(tmp_path: Path) -> None:
    done = command("edge.cli.benchmark", "--seconds", "10", "--json", tmp_path / "board.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert_read_whole(tmp_path / "board.json")


def test_the_line_of_a_report_has_the_measured_numbers(measured: Path) -> None:
    sent = read(measured)
    (model,) = sent.models
    cost = model.costs[END_TO_END]
    line = command("benchmarks.cost.boards", measured).stdout.splitlines()[1]
    for cell in (
        sent.machine.after.identity,
        model.runtime,
        "model.tflite, float32",
        "300 s, 48000 Hz, hop 0.5 s",
        f"{cost.p50_ms:.3f}",
        f"{cost.worst_ms:.3f}",
        f"{cost.cpu_ms_per_audio_s:.3f}",
        f"{model.core_share:.2%}",
    ):
        assert f"{cell}  " in line


def test_the_condition_of_a_board_is_shown_and_what_is_unknown_is_a_question_mark(
    measured: Path, tmp_path: Path
) -> None:
    fields = json.loads(measured.read_text(encoding="utf-8"))
    known = {"board": "Raspberry Pi 9", "governor": "ondemand", "temperature_c": 61.04, "throttling": ["throttled"]}
    fields["machine"]["after"] |= known
    (tmp_path / "a.json").write_text(json.dumps(fields))
    fields["machine"]["after"] |= {**dict.fromkeys(known), "cpu": "unheard-of"}
    (tmp_path / "b.json").write_text(json.dumps(fields))
    first, second = command("benchmarks.cost.boards", tmp_path).stdout.splitlines()[1:3]
    assert first.startswith("Raspberry Pi 9  ")
    assert first.split()[-3:] == ["ondemand", "61.0", "throttled"]
    assert second.startswith("unheard-of  ")
    assert second.split()[-3:] == ["?", "?", "?"]


def test_a_truncated_report_is_refused(measured: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.json"
    half.write_text(measured.read_text(encoding="utf-8")[:1000])
    status, sentence = refused(half)
    assert status == 1
    assert sentence.startswith(f"error: {half}: not a report of edge-benchmark: ")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"null",
        b"[" * 100_000,
        b'{"cpu": "cortex-a72", "models": [{"per_audio_s": {}}]}',
        b'{"models": 3}',
        b'{"\\u001b[2J": 1}',
    ],
    ids=["empty", "no text", "a list", "an object", "null", "deep", "of benchmarks.cost.arm", "a number", "an escape"],
)
def test_other_content_is_refused(content: bytes, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(content)
    status, sentence = refused(other)
    assert status == 1
    assert sentence.startswith(f"error: {other}: not a report of edge-benchmark: ")
    assert sentence.isprintable()


def without_cores(fields: dict) -> None:
    del fields["machine"]["before"]["cores"]


def without_share(fields: dict) -> None:
    del fields["models"][0]["core_share"]


def without_stage(fields: dict) -> None:
    del fields["models"][0]["costs"]["model"]


def without_percentile(fields: dict) -> None:
    del fields["models"][0]["costs"]["end_to_end"]["p99_ms"]


def without_models(fields: dict) -> None:
    fields["models"] = []


def with_a_word_for_a_number(fields: dict) -> None:
    fields["models"][0]["ready_ms"] = "soon"


def with_two_lines_for_a_board(fields: dict) -> None:
    fields["machine"]["after"]["board"] = "Pi\nPi"


@pytest.mark.parametrize(
    "change, reason",
    [
        (without_cores, "machine.before.cores is missing"),
        (without_share, "models[0].core_share is missing"),
        (without_stage, "models[0].costs.model is missing"),
        (without_percentile, "models[0].costs.end_to_end.p99_ms is missing"),
        (without_models, "models is empty"),
        (with_a_word_for_a_number, "models[0].ready_ms must be a number, got 'soon'"),
        (with_two_lines_for_a_board, "unprintable text: 'Pi\\nPi'"),
    ],
)
def test_an_incomplete_report_is_refused_with_the_field(
    change: Callable[[dict], None], reason: str, measured: Path, tmp_path: Path
) -> None:
    fields = json.loads(measured.read_text(encoding="utf-8"))
    change(fields)
    path = tmp_path / "board.json"
    path.write_text(json.dumps(fields))
    assert refused(path) == (1, f"error: {path}: not a report of edge-benchmark: {reason}")


def test_one_wrong_report_among_others_is_named(measured: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    status, sentence = refused(measured, tmp_path)
    assert status == 1
    assert str(wrong) in sentence


def test_a_folder_without_reports_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == (1, f"error: {tmp_path}: no .json file in this folder")
    assert refused(tmp_path / "none.json") == (1, f"error: {tmp_path / 'none.json'}: No such file or directory")
