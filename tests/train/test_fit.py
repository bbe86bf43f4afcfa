"""Whole runs on a small corpus: what they leave, how they go on, what they refuse."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import synthesise

from edge.card import from_json
from edge.errors import EdgeError, UsageError
from train import evaluate, fit
from train.backend import keras
from train.corpus.splits import FOLDS
from train.network import loop as training
from train.recipes import EDGE, RECIPES

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("small_edge")


def words(corpus: Path, out: Path, recipe: str, split: str, epochs: int) -> list[str]:
    return [*f"--recipe {recipe} --split {split} --epochs {epochs}".split(), "--data", str(corpus), "--out", str(out)]


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


def metrics_of(run: Path) -> dict:
    """What metrics.json holds, read as any reader of JSON would."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads((run / "metrics.json").read_text(), parse_constant=refuse)


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


@pytest.fixture(scope="module")
def leaky_edge_run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "leaky"
    assert fit.main(words(corpus, run, "edge", "segments", 1)) == 0
    return run


@pytest.mark.parametrize("name", ["edge_run", "seed_run", "leaky_edge_run"])
def test_a_run_folder_is_complete(name: str, request: pytest.FixtureRequest) -> None:
    run: Path = request.getfixturevalue(name)
    expected = {"network.keras", "card.json", "history.csv", "metrics.json", "calibration.npz", "held_back.npz"}
    assert expected <= {path.name for path in run.iterdir()}
    pictures = {path.name for path in (run / "pictures").iterdir()}
    assert pictures == {"curves.png", "confusion.png", *(f"example_{c}.png" for c in ("chirp", "hiss", "hum"))}


@pytest.mark.parametrize(
    ("name", "mode"), [("edge_run", "stream"), ("seed_run", "window"), ("leaky_edge_run", "stream")]
)
def test_the_card_fits_the_network(name: str, mode: str, request: pytest.FixtureRequest) -> None:
    run: Path = request.getfixturevalue(name)
    card = from_json((run / "card.json").read_text())
    network = keras.models.load_model(run / "network.keras")
    assert card.mode == mode
    assert tuple(network.inputs[0].shape[1:]) == (card.frames, card.front_end.n_mfcc)
    assert card.labels == ("chirp", "hiss", "hum")
    assert {accuracy.per for accuracy in card.training.accuracy} == {"segment", "track"}


@pytest.mark.parametrize(("name", "leaky"), [("edge_run", False), ("seed_run", True), ("leaky_edge_run", True)])
def test_metrics_say_what_they_are_worth(name: str, leaky: bool, request: pytest.FixtureRequest) -> None:
    run: Path = request.getfixturevalue(name)
    metrics = metrics_of(run)
    assert metrics["leaky"] is from_json((run / "card.json").read_text()).training.leaky is leaky
    assert ("LEAKY" in metrics["notes"][0]) is leaky
    assert metrics["held_back_side"] == "test"
    for name in ("per_segment", "per_track"):
        measured = metrics[name]
        assert 0 <= measured["low"] <= measured["accuracy"] <= measured["high"] <= 1
        assert sum(map(sum, measured["confusion"])) == measured["n"]


def test_a_run_on_recordings_has_nothing_to_say_about_the_vocoder(edge_run: Path) -> None:
    metrics = json.loads((edge_run / "metrics.json").read_text())
    assert "per_track_of_vocoded" not in metrics
    assert "called_mostly_reconstructed" not in metrics


def test_tensors_for_the_converter_have_whole_blocks(edge_run: Path) -> None:
    with np.load(edge_run / "held_back.npz") as held_back, np.load(edge_run / "calibration.npz") as calibration:
        assert held_back["inputs"].shape[1] % EDGE.stream.block_frames == 0
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
    before = metrics_of(edge_run)
    assert evaluate.main([str(edge_run), "--data", str(corpus)]) == 0
    assert metrics_of(edge_run) == before
    assert "per track" in capsys.readouterr().out


def test_another_corpus_does_not_measure_a_run(make_corpus: object, edge_run: Path) -> None:
    with pytest.raises(EdgeError, match="is not the corpus"):
        evaluate.main([str(edge_run), "--data", str(make_corpus(clips=4))])


class Interrupted(Exception):
    """Stands for whatever ends a training early."""


def stop_before(last: int, patch: pytest.MonkeyPatch) -> None:
    """Let every training end before this epoch."""
    whole = training.Checkpoint.on_epoch_begin

    def stop(self: training.Checkpoint, epoch: int, logs: object = None) -> None:
        if epoch == last:
            raise Interrupted
        whole(self, epoch)

    patch.setattr(training.Checkpoint, "on_epoch_begin", stop)


def test_an_interrupted_run_goes_on_to_the_same_weights(
    corpus: Path, edge_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        stop_before(2, patch)
        fit.main(words(corpus, run, "edge", "tracks", 3))
    with pytest.raises(EdgeError, match="other arguments \\(epochs\\)"):
        fit.main(words(corpus, run, "edge", "tracks", 4))
    assert fit.main(words(corpus, run, "edge", "tracks", 3)) == 0
    assert [row["epoch"] for row in history(run)] == [row["epoch"] for row in history(edge_run)]
    resumed, straight = (keras.models.load_model(r / "trained.keras").get_weights() for r in (run, edge_run))
    for a, b in zip(resumed, straight, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_killed_run_goes_on(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe as it is, in a process of its own."""
    monkeypatch.setitem(RECIPES, "edge", EDGE)
    run, epochs = tmp_path / "run", 6
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


class FoldsRun:
    """A run in folds that was interrupted before its second fold, and then went on."""

    def __init__(self, data: Path, folder: Path) -> None:
        self.data, self.folder = data, folder
        self.begun: list[str] = []
        whole = fit.fit

        def counted(*given: object) -> object:
            self.begun.append(given[-1].name)
            if len(self.begun) == 2:
                raise Interrupted
            return whole(*given)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fit, "fit", counted)
            with pytest.raises(Interrupted):
                fit.main(words(data, folder, "edge", "folds", 1))
            assert not (folder / "metrics.json").exists()
            assert fit.main(words(data, folder, "edge", "folds", 1)) == 0


@pytest.fixture(scope="module")
def folds_run(make_corpus: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> FoldsRun:
    data = make_corpus(clips=FOLDS, classes=("hiss", "hum"))
    return FoldsRun(data, tmp_path_factory.mktemp("runs") / "folds")


def test_an_interrupted_run_trains_no_finished_fold_again(folds_run: FoldsRun) -> None:
    assert folds_run.begun == ["fold-0", "fold-1", *(f"fold-{i}" for i in range(1, FOLDS)), "folds"]


def test_a_run_in_folds_calls_each_clip_once(folds_run: FoldsRun) -> None:
    with (folds_run.folder / "folds.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["clip", "label", "source", "fold", "said"]
    assert sorted(row["clip"] for row in rows) == [f"{c}/{c}.{i:05}.wav" for c in ("hiss", "hum") for i in range(FOLDS)]
    assert {(row["label"], row["fold"]) for row in rows} == {(c, str(i)) for c in ("hiss", "hum") for i in range(FOLDS)}
    right = sum(row["said"] == row["label"] for row in rows)
    assert right / len(rows) == pytest.approx(metrics_of(folds_run.folder)["per_track"]["accuracy"], abs=1e-4)


def test_a_run_in_folds_is_judged_by_all_its_clips(folds_run: FoldsRun) -> None:
    metrics = metrics_of(folds_run.folder)
    assert (metrics["held_back_side"], metrics["leaky"], metrics["split"]) == ("folds", False, "folds")
    assert metrics["per_track"]["n"] == metrics["per_track"]["tracks"] == 2 * FOLDS
    assert metrics["per_segment"]["n"] == 2 * 2 * FOLDS
    card = from_json((folds_run.folder / "card.json").read_text())
    assert card.training.split == "folds"
    assert [a.value for a in card.training.accuracy] == [
        metrics[f"per_{per}"]["accuracy"] for per in ("segment", "track")
    ]
    assert card.training.clips == 2 * FOLDS  # the network that is kept has heard them all
    network = keras.models.load_model(folds_run.folder / "network.keras")
    assert tuple(network.inputs[0].shape[1:]) == (card.frames, card.front_end.n_mfcc)


def test_the_networks_of_two_folds_and_the_one_that_is_kept_differ_in_what_they_learned(folds_run: FoldsRun) -> None:
    folders = [folds_run.folder, *(folds_run.folder / f"fold-{i}" for i in range(FOLDS))]
    losses = [history(folder)[0]["loss"] for folder in folders]
    assert len(set(losses)) == len(losses)


def test_a_run_in_folds_measures_the_same_again(folds_run: FoldsRun) -> None:
    before, table = metrics_of(folds_run.folder), (folds_run.folder / "folds.csv").read_bytes()
    (folds_run.folder / "folds.csv").unlink()
    assert evaluate.main([str(folds_run.folder), "--data", str(folds_run.data)]) == 0
    assert metrics_of(folds_run.folder) == before
    assert (folds_run.folder / "folds.csv").read_bytes() == table


def test_the_notebooks_recipe_is_not_judged_in_folds(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folds"):
        fit.main(words(corpus, tmp_path / "run", "seed", "folds", 1))


def test_crops_of_segments_are_one_window_long() -> None:
    for split, windows in (("segments", 1), ("tracks", EDGE.stream.crop_windows)):
        assert fit.fitting(EDGE, split).stream.crop_windows == windows
    assert fit.fitting(EDGE, "segments").stream.crop_frames == EDGE.segment_frames
    assert fit.fitting(RECIPES["seed"], "segments") == RECIPES["seed"]


def test_a_leaky_run_measures_the_same_again(corpus: Path, leaky_edge_run: Path) -> None:
    before = metrics_of(leaky_edge_run)
    assert evaluate.main([str(leaky_edge_run), "--data", str(corpus)]) == 0
    assert metrics_of(leaky_edge_run) == before


def test_a_run_with_a_teacher_leaves_the_same_kind_of_network(
    make_corpus: Callable[..., Path], edge_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that was interrupted goes on with what the teacher has said."""
    data = make_corpus(clips=4, classes=("chirp", "hiss", "hum"))
    (tmp_path / "music").mkdir()
    for number in range(2):
        soundfile.write(tmp_path / "music" / f"{number}.ogg", synthesise(7.0, 22_050, 1, number), 22_050)
    run = tmp_path / "run"
    taught_words = [*words(data, run, "edge", "tracks", 2), "--unlabelled", str(tmp_path / "music")]
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        stop_before(1, patch)
        fit.main(taught_words)
    assert fit.main(taught_words) == 0
    assert len(history(run)) == 2
    assert {path.name for path in run.iterdir()} == {path.name for path in edge_run.iterdir()}
    for name in ("trained.keras", "network.keras"):
        taught, plain = (keras.models.load_model(folder / name) for folder in (run, edge_run))
        assert taught.output_shape == plain.output_shape
        assert [w.shape for w in taught.weights] == [w.shape for w in plain.weights]
        assert not any("teacher" in layer.name for layer in taught.layers)
    assert "teacher_loss" in history(run)[0]
    assert json.loads((run / "run.json").read_text())["unlabelled"] == [str(tmp_path / "music")]
    before = metrics_of(run)
    assert evaluate.main([str(run), "--data", str(data)]) == 0
    assert metrics_of(run) == before


def test_the_notebooks_recipe_has_no_teacher(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--unlabelled: the recipe seed has no teacher"):
        fit.main([*words(corpus, tmp_path / "run", "seed", "segments", 1), "--unlabelled", str(tmp_path)])
    assert not (tmp_path / "run").exists()


def test_a_teacher_of_whole_clips_does_not_speak_of_segments(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="segments"):
        fit.main([*words(corpus, tmp_path / "run", "edge", "segments", 1), "--unlabelled", str(tmp_path)])


def test_music_that_is_not_there_is_one_sentence(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="nowhere"):
        fit.main([*words(corpus, tmp_path / "run", "edge", "tracks", 1), "--unlabelled", str(tmp_path / "nowhere")])


def test_a_full_disk_is_one_sentence(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(training, "write_history", full)
    with pytest.raises(EdgeError, match="no space left for the run folder"):
        fit.main(words(corpus, tmp_path / "run", "seed", "tracks", 1))


def test_no_epoch_is_no_run(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--epochs"):
        fit.main(words(corpus, tmp_path / "run", "seed", "tracks", 0))
