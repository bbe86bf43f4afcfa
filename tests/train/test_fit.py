"""Whole runs on a small corpus: what they leave, how they go on, what they refuse."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edge.card import from_json
from edge.errors import EdgeError, UsageError
from train import evaluate, fit, training
from train.backend import keras

ROOT = Path(__file__).parents[2]


def words(corpus: Path, out: Path, recipe: str, split: str, epochs: int) -> list[str]:
    return [*f"--recipe {recipe} --split {split} --epochs {epochs}".split(), "--data", str(corpus), "--out", str(out)]


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def edge_run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "edge"
    assert fit.main(words(corpus, run, "edge", "tracks", 3)) == 0
    return run


@pytest.fixture(scope="module")
def seed_run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "seed"
    assert fit.main(words(corpus, run, "seed", "segments", 2)) == 0
    return run


@pytest.mark.parametrize("name", ["edge_run", "seed_run"])
def test_a_run_folder_is_complete(name: str, request: pytest.FixtureRequest) -> None:
    run: Path = request.getfixturevalue(name)
    expected = {"network.keras", "card.json", "history.csv", "metrics.json", "calibration.npz", "held_back.npz"}
    assert expected <= {path.name for path in run.iterdir()}
    pictures = {path.name for path in (run / "pictures").iterdir()}
    assert pictures == {"curves.png", "confusion.png", *(f"example_{c}.png" for c in ("chirp", "hiss", "hum"))}


@pytest.mark.parametrize(("name", "mode"), [("edge_run", "stream"), ("seed_run", "window")])
def test_the_card_fits_the_network(name: str, mode: str, request: pytest.FixtureRequest) -> None:
    run: Path = request.getfixturevalue(name)
    card = from_json((run / "card.json").read_text())
    network = keras.models.load_model(run / "network.keras")
    assert card.mode == mode
    assert tuple(network.inputs[0].shape[1:]) == (card.frames, card.front_end.n_mfcc)
    assert card.labels == ("chirp", "hiss", "hum")
    assert {accuracy.per for accuracy in card.training.accuracy} == {"segment", "track"}


@pytest.mark.parametrize(("name", "leaky"), [("edge_run", False), ("seed_run", True)])
def test_metrics_say_what_they_are_worth(name: str, leaky: bool, request: pytest.FixtureRequest) -> None:
    run: Path = request.getfixturevalue(name)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["leaky"] is leaky
    assert metrics["held_back_side"] == "test"
    for name in ("per_segment", "per_track"):
        measured = metrics[name]
        assert 0 <= measured["low"] <= measured["accuracy"] <= measured["high"] <= 1
        assert sum(map(sum, measured["confusion"])) == measured["n"]


def test_tensors_for_the_converter_have_whole_blocks(edge_run: Path) -> None:
    with np.load(edge_run / "held_back.npz") as held_back, np.load(edge_run / "calibration.npz") as calibration:
        assert held_back["inputs"].shape[1] % 8 == 0
        assert held_back["inputs"].dtype == calibration["inputs"].dtype == np.float32
        assert len(held_back["inputs"]) == len(held_back["labels"]) == len(held_back["tracks"]) == 3
        assert abs(calibration["inputs"].mean()) < 0.1
        assert not set(held_back["tracks"]) & set(calibration["tracks"])


def test_a_finished_run_is_not_written_over(corpus: Path, edge_run: Path) -> None:
    with pytest.raises(EdgeError, match="is a finished run; choose another --out"):
        fit.main(words(corpus, edge_run, "edge", "tracks", 3))


def test_a_folder_of_something_else_is_refused(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(EdgeError, match="holds something else"):
        fit.main(words(corpus, tmp_path, "edge", "tracks", 3))


def test_a_measured_run_measures_the_same_again(
    corpus: Path, edge_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads((edge_run / "metrics.json").read_text())
    assert evaluate.main([str(edge_run), "--data", str(corpus)]) == 0
    assert json.loads((edge_run / "metrics.json").read_text()) == before
    assert "per track" in capsys.readouterr().out


def test_another_corpus_does_not_measure_a_run(make_corpus: object, edge_run: Path) -> None:
    with pytest.raises(EdgeError, match="is not the corpus"):
        evaluate.main([str(edge_run), "--data", str(make_corpus(clips=4))])


class Interrupted(Exception):
    """Stands for whatever ends a training early."""


def test_an_interrupted_run_goes_on_to_the_same_weights(
    corpus: Path, edge_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = training.Checkpoint.on_epoch_begin

    def stop_at_the_third(self: training.Checkpoint, epoch: int, logs: object = None) -> None:
        if epoch == 2:
            raise Interrupted
        whole(self, epoch)

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(training.Checkpoint, "on_epoch_begin", stop_at_the_third)
        with pytest.raises(Interrupted):
            fit.main(words(corpus, run, "edge", "tracks", 3))
    with pytest.raises(EdgeError, match="other arguments \\(epochs\\)"):
        fit.main(words(corpus, run, "edge", "tracks", 4))
    assert fit.main(words(corpus, run, "edge", "tracks", 3)) == 0
    assert [row["epoch"] for row in history(run)] == [row["epoch"] for row in history(edge_run)]
    resumed, straight = (keras.models.load_model(r / "trained.keras").get_weights() for r in (run, edge_run))
    for a, b in zip(resumed, straight, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_killed_run_goes_on(corpus: Path, tmp_path: Path) -> None:
    run, epochs = tmp_path / "run", 40
    arguments = words(corpus, run, "edge", "tracks", epochs)
    process = subprocess.Popen([sys.executable, "-m", "train.fit", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (run / "checkpoint.keras").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    begun = len(history(run))
    assert 0 < begun < epochs
    assert fit.main(arguments) == 0
    assert [int(float(row["epoch"])) for row in history(run)] == list(range(epochs))
    assert not (run / "checkpoint.keras").exists()


def test_a_full_disk_is_one_sentence(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(training, "write_history", full)
    with pytest.raises(EdgeError, match="no space left for the run folder"):
        fit.main(words(corpus, tmp_path / "run", "seed", "tracks", 1))


def test_no_epoch_is_no_run(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--epochs"):
        fit.main(words(corpus, tmp_path / "run", "seed", "tracks", 0))
