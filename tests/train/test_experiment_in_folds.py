"""A run in folds that is interrupted and resumed."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.training import Interrupted, fit_arguments, history, metrics_of

from edge.model.card import from_json
from train import evaluate, experiment, fit
from train.backend import keras
from train.corpus.splits import FOLDS

pytestmark = [pytest.mark.workstation, pytest.mark.slow, pytest.mark.usefixtures("small_edge")]


class FoldsRun:
    """A run in folds that was interrupted before its second fold and then resumed."""

    def __init__(self, data: Path, folder: Path) -> None:
        self.data, self.folder = data, folder
        self.begun: list[str] = []
        whole = experiment.train_network

        def counted(*given: object) -> object:
            self.begun.append(given[-1].name)
            if len(self.begun) == 2:
                raise Interrupted
            return whole(*given)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(experiment, "train_network", counted)
            with pytest.raises(Interrupted):
                fit.main(fit_arguments(data, folder, "edge", "folds", 1))
            assert not (folder / "metrics.json").exists()
            assert fit.main(fit_arguments(data, folder, "edge", "folds", 1)) == 0


@pytest.fixture(scope="module")
def folds_run(make_corpus: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> FoldsRun:
    data = make_corpus(clips=FOLDS, classes=("hiss", "hum"))
    return FoldsRun(data, tmp_path_factory.mktemp("runs") / "folds")


def test_a_resumed_run_does_not_train_finished_folds_again(folds_run: FoldsRun) -> None:
    assert folds_run.begun == ["fold-0", "fold-1", *(f"fold-{i}" for i in range(1, FOLDS)), "folds"]


def test_a_run_in_folds_predicts_each_clip_once(folds_run: FoldsRun) -> None:
    with (folds_run.folder / "folds.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["clip", "label", "source", "fold", "said"]
    assert sorted(row["clip"] for row in rows) == [f"{c}/{c}.{i:05}.wav" for c in ("hiss", "hum") for i in range(FOLDS)]
    assert {(row["label"], row["fold"]) for row in rows} == {(c, str(i)) for c in ("hiss", "hum") for i in range(FOLDS)}
    right = sum(row["said"] == row["label"] for row in rows)
    assert right / len(rows) == pytest.approx(metrics_of(folds_run.folder)["per_track"]["accuracy"], abs=1e-4)


def test_a_run_in_folds_reports_the_accuracy_on_all_clips(folds_run: FoldsRun) -> None:
    metrics = metrics_of(folds_run.folder)
    assert (metrics["held_back_side"], metrics["leaky"], metrics["split"]) == ("folds", False, "folds")
    assert metrics["per_track"]["n"] == metrics["per_track"]["tracks"] == 2 * FOLDS
    assert metrics["per_segment"]["n"] == 2 * 2 * FOLDS
    card = from_json((folds_run.folder / "card.json").read_text())
    assert card.training.split == "folds"
    assert [a.value for a in card.training.accuracy] == [
        metrics[f"per_{per}"]["accuracy"] for per in ("segment", "track")
    ]
    assert card.training.clips == 2 * FOLDS  # the last network is trained on all of them
    network = keras.models.load_model(folds_run.folder / "network.keras")
    assert tuple(network.inputs[0].shape[1:]) == (card.frames, card.front_end.n_mfcc)


def test_the_networks_of_a_run_in_folds_are_trained_on_different_clips(folds_run: FoldsRun) -> None:
    folders = [folds_run.folder, *(folds_run.folder / f"fold-{i}" for i in range(FOLDS))]
    losses = [history(folder)[0]["loss"] for folder in folders]
    assert len(set(losses)) == len(losses)


def test_evaluate_reproduces_the_metrics_of_a_run_in_folds(folds_run: FoldsRun) -> None:
    before, table = metrics_of(folds_run.folder), (folds_run.folder / "folds.csv").read_bytes()
    (folds_run.folder / "folds.csv").unlink()
    assert evaluate.main([str(folds_run.folder), "--data", str(folds_run.data)]) == 0
    assert metrics_of(folds_run.folder) == before
    assert (folds_run.folder / "folds.csv").read_bytes() == table
