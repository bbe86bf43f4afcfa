import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from helpers.support import Run, one_sentence, synthesise

FIELDS = ["path", "state", "label", "confidence", "seconds"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three audio files on two levels, and a text file."""
    for name in ("b.wav", "a.flac", "deeper/c.ogg"):
        path = tmp_path / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, synthesise(4.0, 44_100, 2), 44_100)
    (tmp_path / "music" / "notes.txt").write_text("no music")
    return tmp_path / "music"


def test_a_folder_becomes_a_table(run: Run, folder: Path) -> None:
    done = run("edge.cli.label", folder)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert list(rows[0]) == FIELDS
    assert [Path(row["path"]).name for row in rows] == ["a.flac", "b.wav", "c.ogg"]
    assert all(float(row["seconds"]) == pytest.approx(4, abs=0.01) for row in rows)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_the_table_goes_into_a_file(run: Run, folder: Path, suffix: str) -> None:
    out = folder.parent / f"labels.{suffix}"
    done = run("edge.cli.label", folder, "--out", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = out.read_text().splitlines()
    rows = [json.loads(line) for line in text] if suffix == "jsonl" else list(csv.DictReader(text))
    assert len(rows) == 3
    assert all(list(row) == FIELDS for row in rows)


def test_a_file_that_cannot_be_read_is_named_and_skipped(run: Run, folder: Path) -> None:
    (folder / "broken.wav").write_bytes(b"RIFF, but broken")
    done = run("edge.cli.label", folder)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1 + 3
    assert "skipped: " in done.stderr
    assert "broken.wav: not an audio file" in done.stderr
    assert "1 of 4 files" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_path_that_cannot_be_looked_up_is_named_and_the_others_are_labelled(run: Run, folder: Path) -> None:
    long = folder / ("n" * 300)
    done = run("edge.cli.label", long, folder)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1 + 3
    assert done.stderr.startswith(f"skipped: {long}: can't be read: file name too long\n")


@pytest.mark.parametrize("to_file", [False, True])
def test_a_file_name_that_is_not_utf8_is_written_as_its_bytes(folder: Path, to_file: bool) -> None:
    odd = os.fsencode(folder) + b"/\xff,\xfe.wav"
    shutil.copy(folder / "b.wav", odd)
    command = [sys.executable, "-m", "edge.cli.label", odd, *(["--out", str(folder / "x.csv")] if to_file else [])]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b'"%s"' % odd in ((folder / "x.csv").read_bytes() if to_file else done.stdout)


def test_a_file_that_is_given_twice_is_labelled_once(run: Run, folder: Path) -> None:
    assert len(run("edge.cli.label", folder, folder / "b.wav").stdout.splitlines()) == 1 + 3


def test_the_label_is_that_of_edge_listen(run: Run, folder: Path) -> None:
    (row,) = csv.DictReader(run("edge.cli.label", folder / "b.wav").stdout.splitlines())
    summary = json.loads(run("edge.cli.listen", folder / "b.wav", "--json").stdout.splitlines()[-1])
    assert (row["state"], row["label"] or None) == (summary["state"], summary["label"])
    assert float(row["confidence"]) == summary["confidence"]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["tests", "--out", "x.txt"], 2, "--out x.txt: the name must end in .csv or .jsonl"),
        (["tests/edge"], 1, "no audio file below this folder"),
        (["tests/edge"], 1, "error: no audio file to label"),
        (["none.wav"], 1, "1 of 1 files could not be labelled"),
        (["tests", "--out", "/nowhere/x.csv", "--model", "none.tflite"], 1, "none.tflite"),
    ],
)
def test_a_mistake_is_named(run: Run, arguments: list[str], status: int, sentence: str) -> None:
    done = run("edge.cli.label", *arguments)
    assert done.returncode == status
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_audio_is_named_and_the_others_are_labelled(run: Run, folder: Path) -> None:
    empty = folder.parent / "empty"
    empty.mkdir()
    done = run("edge.cli.label", empty, folder)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1 + 3
    assert done.stderr == (
        f"skipped: {empty}: no audio file below this folder\nerror: 1 of 2 paths have no audio file, see above\n"
    )


def test_a_full_disk_is_one_sentence(run: Run, folder: Path) -> None:
    target = folder.parent / "full.csv"
    target.symlink_to("/dev/full")
    done = run("edge.cli.label", folder, "--out", target)
    assert done.returncode == 1
    assert "No space left" in one_sentence(done)
