"""The tables that edge-label writes."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import soundfile
from golden.commands import DEMO, melody, output, run
from golden.recording import check, csv_rows, json_lines


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo clip, a synthesised file below it, and something that is no audio file; paths are relative to it."""
    shutil.copy(DEMO, tmp_path / "demo.ogg")
    (tmp_path / "deeper").mkdir()
    soundfile.write(tmp_path / "deeper" / "melody, plucked.flac", melody(6.0, 44_100, 2), 44_100)
    (tmp_path / "notes.txt").write_text("not audio")
    return tmp_path


def test_csv_on_standard_output(folder: Path) -> None:
    check("labels.csv", output("edge-label", ".", cwd=folder), csv_rows)


def test_the_columns_come_in_this_order(folder: Path) -> None:
    header, *_ = csv.reader(output("edge-label", ".", cwd=folder).splitlines())
    assert header == ["path", "state", "label", "confidence", "seconds"]


def test_csv_lines_end_as_rfc_4180_says(folder: Path) -> None:
    text = output("edge-label", ".", cwd=folder)
    assert text.count("\r\n") == text.count("\n") == 3


def test_a_csv_file_holds_what_standard_output_would(folder: Path) -> None:
    assert output("edge-label", ".", "--out", "labels.csv", cwd=folder) == ""
    check("labels.csv", (folder / "labels.csv").read_bytes().decode(), csv_rows)


def test_json_lines_in_a_file(folder: Path) -> None:
    assert output("edge-label", ".", "--out", "labels.jsonl", cwd=folder) == ""
    check("labels.jsonl", (folder / "labels.jsonl").read_text(encoding="utf-8"), json_lines)


def test_a_file_without_music_has_an_empty_label(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", 0 * melody(6.0, 44_100, 1), 44_100)
    check("label_silence.csv", output("edge-label", "silence.wav", cwd=tmp_path), csv_rows)


def test_a_file_without_music_has_a_null_label_in_json(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", 0 * melody(6.0, 44_100, 1), 44_100)
    output("edge-label", "silence.wav", "--out", "labels.jsonl", cwd=tmp_path)
    assert json.loads((tmp_path / "labels.jsonl").read_text())["label"] is None


def test_a_damaged_file_costs_its_own_row_and_status_1(folder: Path) -> None:
    (folder / "damaged.wav").write_bytes(b"RIFF, but damaged")
    done = run("edge-label", ".", cwd=folder)
    assert done.returncode == 1
    check("labels.csv", done.stdout.decode(), csv_rows)
