"""The command on a small corpus whose classes the shipped model knows by name, if not by sound."""

import dataclasses
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import stream_card, synthesise

from edge.api import label as label_file
from edge.arrays import FloatArray
from edge.cli.exit_status import run
from edge.model.load import SHIPPED_MODEL, load_model

pytestmark = pytest.mark.workstation

RATE = 16_000
Command = Callable[..., int]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Melodies as jazz, noise as metal: three of each to train on and two to evaluate, one of them reconstructed."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = ["track,genre,split,source"]
    for label in ("jazz", "metal"):
        (folder / label).mkdir()
        for number in range(5):
            noise = np.random.default_rng(number).normal(0, 0.1, round(6.2 * RATE))
            sound = synthesise(6.2, RATE, 1, number) if label == "jazz" else noise
            soundfile.write(folder / label / f"{label}.{number}.wav", sound, RATE)
            side, source = "train" if number < 3 else "valid", "reconstructed" if number == 4 else "audio"
            rows.append(f"{label}.{number},{label},{side},{source}")
    (folder / "tracks.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight noises in one class of audio that is not music."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "rain").mkdir()
    for number in range(8):
        noise = np.random.default_rng(number).normal(0, 0.03, 4 * RATE)
        soundfile.write(folder / "rain" / f"rain.{number}.wav", noise, RATE)
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command with these arguments, in this process: its exit status."""
    from benchmarks.accuracy.__main__ import main

    def command(*arguments: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["benchmarks.accuracy", *map(str, arguments)])
        return run(main)

    return command


@pytest.fixture
def perfect_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    """A teacher that knows the names of the classes; the real one is a download of its own."""
    from train.distillation import musicnn

    def musicnn_outputs(paths: list[Path], folder: Path) -> list[FloatArray | str]:
        return [np.full((2, musicnn.WIDTH), [1.0, -1.0]["jazz" in path.name], np.float32) for path in paths]

    monkeypatch.setattr(musicnn, "musicnn_outputs", musicnn_outputs)


def side_of_noise(name: str) -> str:
    """Side of a file in the folder of --other."""
    from train.corpus.splits import side_of_other

    return side_of_other(f"other/{name}", 0)


def test_clips_get_the_answers_of_edge_label(
    command: Command, corpus: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.accuracy.__main__ import leak_note

    assert command("--data", corpus, "--other", other, "--json", tmp_path / "out.json") == 0
    found = json.loads((tmp_path / "out.json").read_text())
    model = load_model(SHIPPED_MODEL)
    clips = [(label, corpus / label / f"{label}.{n}.wav") for label in ("jazz", "metal") for n in (3, 4)]
    answers = [(label, label_file(path, model)) for label, path in clips]
    for truth, row in found["music"]["confusion"].items():
        expected = [answer.label or answer.state for label, answer in answers if label == truth]
        assert {name: count for name, count in row.items() if count} == {
            name: expected.count(name) for name in expected
        }
    assert found["music"]["accuracy"]["all"]["n"] == 4
    assert found["music"]["accuracy"]["reconstructed"]["n"] == 2
    noises = [path for path in (other / "rain").iterdir() if side_of_noise(f"rain/{path.name}") == "valid"]
    without_genre = [label_file(path, model).label is None for path in noises]
    assert found["other"]["rain"]["n"] == len(noises) < 8
    assert found["other"]["rain"]["value"] == sum(without_genre) / len(noises)
    assert found["room"] is found["yardsticks"] is found["folds"] is None
    assert found["note"] == leak_note(model.card.training, "valid")
    printed = capsys.readouterr().out
    for part in ("accuracy per track", "recall", "confusion", "calibration error", "  rain ", "  0.9 "):
        assert part in printed


def test_a_file_that_is_not_audio_is_named_and_the_others_are_evaluated(
    command: Command, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "corpus"
    shutil.copytree(corpus, copy)
    broken = copy / "jazz" / "jazz.4.wav"
    broken.write_text("no audio")
    assert command("--data", copy) == 0
    printed = capsys.readouterr()
    assert f"skipped: {broken}: " in printed.err
    assert "n = 3" in printed.out


def test_room_baselines_and_folds_are_compared(
    command: Command, corpus: Path, perfect_teacher: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{label}/{label}.{n}.wav,{label},audio,{n % 2},jazz" for label in ("jazz", "metal") for n in range(5)]
    (tmp_path / "folds.csv").write_text("\n".join(["clip,label,source,fold,said", *rows]))
    arguments = ("--room", "--baselines", "--run", tmp_path, "--json", tmp_path / "out.json")
    assert command("--data", corpus, *arguments) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    accuracy = found["room"]["accuracy"]
    assert accuracy["difference"] == pytest.approx(accuracy["after"]["value"] - accuracy["before"]["value"])
    assert accuracy["before"]["value"] == found["music"]["accuracy"]["all"]["value"]
    assert set(found["yardsticks"]) == {"clean", "room"}
    for table in found["yardsticks"].values():
        assert {name: row["all"]["n"] for name, row in table.items()} == {
            "model": 4,
            "MFCC + SVM": 4,
            "MusiCNN + LR": 4,
        }
    assert found["yardsticks"]["clean"]["MFCC + SVM"]["all"]["value"] == 1.0
    across = found["folds"]
    assert across["accuracy"]["recipe"]["all"]["value"] == 0.5
    assert across["ahead"]["MFCC + SVM"]["difference"] == pytest.approx(-0.5)
    printed = capsys.readouterr().out
    for part in ("in a simulated room", "beside the baselines, clean", "beside the baselines, room", "MusiCNN + LR"):
        assert part in printed


@pytest.mark.parametrize(
    ("split", "side", "start"),
    [
        ("lists", "valid", None),
        ("lists", "train", "TRAINED ON THESE CLIPS"),
        ("folds", "valid", "TRAINED ON THESE CLIPS"),
        ("folds", "test", None),
        ("all", "test", "TRAINED ON THESE CLIPS"),
        ("tracks", "valid", "TRAINED ON SOME OF THESE CLIPS"),
    ],
)
def test_a_model_that_was_trained_on_the_clips_gets_a_warning(split: str, side: str, start: str | None) -> None:
    from benchmarks.accuracy.__main__ import leak_note

    note = leak_note(dataclasses.replace(stream_card().training, split=split), side)
    assert note is None if start is None else note is not None and note.startswith(start)


def test_the_train_side_gets_a_warning(command: Command, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--data", corpus, "--side", "train") == 0
    assert "not the accuracy on new music" in capsys.readouterr().out.splitlines()[1]


def refused(command: Command, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """Exit status and the one sentence of a command that printed nothing else."""
    status = command(*arguments)
    printed = capsys.readouterr()
    (sentence,) = printed.err.splitlines()
    assert printed.out == ""
    return status, sentence.removeprefix("error: ")


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (("--run", "runs/edge"), "--run compares with the baselines; add --baselines"),
        (("--baselines", "--side", "train"), "the baselines are trained on the train side; evaluate with --side valid"),
    ],
)
def test_arguments_that_exclude_each_other_are_refused(
    command: Command, corpus: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], start: str
) -> None:
    status, sentence = refused(command, capsys, "--data", corpus, *arguments)
    assert (status, sentence[: len(start)]) == (2, start)


def test_a_side_without_clips_is_refused(command: Command, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(command, capsys, "--data", corpus, "--side", "test") == (1, f"{corpus}: no clip is listed as test")


def test_noise_of_another_side_is_refused(
    command: Command, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = next(f"{n}.wav" for n in range(99) if side_of_noise(f"{n}.wav") == "train")
    soundfile.write(tmp_path / name, np.zeros(RATE), RATE)
    status, sentence = refused(command, capsys, "--data", corpus, "--other", tmp_path)
    assert (status, sentence.split(":")[0]) == (1, str(tmp_path))


def test_a_class_that_the_model_does_not_know_is_refused(
    command: Command, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(corpus / "jazz", tmp_path / "jazz")
    shutil.copytree(corpus / "metal", tmp_path / "polka")
    (tmp_path / "tracks.csv").write_text((corpus / "tracks.csv").read_text().replace(",metal,", ",polka,"))
    status, sentence = refused(command, capsys, "--data", tmp_path)
    assert status == 1
    assert sentence.startswith("the model has no label polka; it knows blues, ")


@pytest.mark.parametrize(("missing", "option"), [("pyroomacoustics", "--room"), ("musicnn", "--baselines")])
def test_a_missing_package_is_reported_before_anything_is_labelled(
    command: Command,
    corpus: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    option: str,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    status, sentence = refused(command, capsys, "--data", corpus, option)
    assert status == 1
    assert "pip install" in sentence
    assert missing in sentence


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_labelled(
    command: Command, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "missing" / "out.json"
    assert refused(command, capsys, "--data", corpus, "--json", out) == (1, f"{out}: No such file or directory")


def test_the_command_does_not_import_tensorflow() -> None:
    code = "import sys, benchmarks.accuracy.__main__, benchmarks.accuracy.in_room; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
