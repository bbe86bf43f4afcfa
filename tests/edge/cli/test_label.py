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
    """Three files in two levels, and one that is no music file at all."""
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


def test_it_goes_on_past_what_it_cannot_read_and_names_it(run: Run, folder: Path) -> None:
    (folder / "broken.wav").write_bytes(b"RIFF, but broken")
    done = run("edge.cli.label", folder)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1 + 3
    assert "skipped: " in done.stderr
    assert "broken.wav: is no audio" in done.stderr
    assert "1 of 4 files" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("to_file", [False, True])
def test_a_name_that_is_no_utf8_is_labelled_like_any_other(folder: Path, to_file: bool) -> None:
    odd = os.fsencode(folder) + b"/\xff,\xfe.wav"
    shutil.copy(folder / "b.wav", odd)
    words = [sys.executable, "-m", "edge.cli.label", odd, *(["--out", str(folder / "x.csv")] if to_file else [])]
    done = subprocess.run(words, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b'"%s"' % odd in ((folder / "x.csv").read_bytes() if to_file else done.stdout)


def test_the_same_file_is_labelled_once(run: Run, folder: Path) -> None:
    assert len(run("edge.cli.label", folder, folder / "b.wav").stdout.splitlines()) == 1 + 3


def test_the_label_is_the_one_that_edge_listen_gives(run: Run, folder: Path) -> None:
    (row,) = csv.DictReader(run("edge.cli.label", folder / "b.wav").stdout.splitlines())
    whole = json.loads(run("edge.cli.listen", folder / "b.wav", "--json").stdout.splitlines()[-1])
    assert (row["state"], row["label"] or None) == (whole["state"], whole["label"])
    assert float(row["confidence"]) == whole["confidence"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["tests", "--out", "x.txt"], 2, ".csv or .jsonl"),
        (["tests/edge"], 1, "no audio file below"),
        (["none.wav"], 1, "1 of 1 files"),
        (["tests", "--out", "/nowhere/x.csv", "--model", "none.tflite"], 1, ""),
    ],
)
def test_bad_words(run: Run, words: list[str], status: int, said: str) -> None:
    done = run("edge.cli.label", *words)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_said(run: Run, folder: Path) -> None:
    target = folder.parent / "full.csv"
    target.symlink_to("/dev/full")
    done = run("edge.cli.label", folder, "--out", target)
    assert done.returncode == 1
    assert "No space left" in one_sentence(done)
