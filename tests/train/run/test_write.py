"""Content of run folders."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.predictions import SIX
from helpers.predictions import corpus as corpus_of
from helpers.training import metrics_of

from edge.model.card import from_json
from train.backend import keras
from train.recipes import EDGE
from train.run.write import write_folds

pytestmark = [pytest.mark.workstation, pytest.mark.slow]


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
def test_metrics_state_whether_they_are_leaky(name: str, leaky: bool, request: pytest.FixtureRequest) -> None:
    run: Path = request.getfixturevalue(name)
    metrics = metrics_of(run)
    assert metrics["leaky"] is from_json((run / "card.json").read_text()).training.leaky is leaky
    assert ("LEAKY" in metrics["notes"][0]) is leaky
    assert metrics["held_back_side"] == "test"
    for name in ("per_segment", "per_track"):
        measured = metrics[name]
        assert 0 <= measured["low"] <= measured["accuracy"] <= measured["high"] <= 1
        assert sum(map(sum, measured["confusion"])) == measured["n"]


def test_metrics_of_a_corpus_of_recordings_have_no_vocoder_check(edge_run: Path) -> None:
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


def test_folds_csv_has_a_row_for_each_clip(tmp_path: Path) -> None:
    dataset = corpus_of(SIX)
    folds = {c.name: i % 5 for i, c in enumerate(SIX.clips)}
    dataset = replace(dataset, folds=folds, sources={SIX.clips[1].name: "audio"})
    write_folds(SIX, dataset, tmp_path / "folds.csv")
    with (tmp_path / "folds.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {"clip": "calm/1.wav", "label": "calm", "source": "audio", "fold": "1", "said": "calm"}
    assert [row["said"] for row in rows] == ["calm", "calm", "calm", "loud", "loud", "other", "calm"]
    assert [row["label"] for row in rows] == ["calm", "calm", "loud", "loud", "loud", "calm", "other"]
