"""Runs that are interrupted, killed and resumed."""

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
from helpers.support import synthesise
from helpers.training import Interrupted, fit_arguments, history, interrupt_before, metrics_of

from edge.errors import EdgeError
from train import evaluate, fit
from train.backend import keras
from train.experiment import recipe_for_split
from train.recipes import EDGE, RECIPES

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.workstation, pytest.mark.slow, pytest.mark.usefixtures("small_edge")]


def test_a_resumed_run_reaches_the_same_weights(
    corpus: Path, edge_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        interrupt_before(2, patch)
        fit.main(fit_arguments(corpus, run, "edge", "tracks", 3))
    with pytest.raises(EdgeError, match="other arguments \\(epochs\\)"):
        fit.main(fit_arguments(corpus, run, "edge", "tracks", 4))
    assert fit.main(fit_arguments(corpus, run, "edge", "tracks", 3)) == 0
    assert [row["epoch"] for row in history(run)] == [row["epoch"] for row in history(edge_run)]
    resumed, straight = (keras.models.load_model(r / "trained.keras").get_weights() for r in (run, edge_run))
    for a, b in zip(resumed, straight, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_killed_run_is_resumed(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unchanged recipe, in a process of its own."""
    monkeypatch.setitem(RECIPES, "edge", EDGE)
    run, epochs = tmp_path / "run", 6
    arguments = fit_arguments(corpus, run, "edge", "tracks", epochs)
    process = subprocess.Popen([sys.executable, "-m", "train.fit", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300  # most of it imports TensorFlow
    while not (run / "checkpoint.keras").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    begun = len(history(run))
    assert 0 < begun < epochs
    assert fit.main(arguments) == 0
    assert [int(float(row["epoch"])) for row in history(run)] == list(range(epochs))
    assert not (run / "checkpoint.keras").exists()


def test_a_run_with_a_teacher_leaves_the_same_kind_of_network(
    make_corpus: Callable[..., Path], edge_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted one is resumed with the same targets."""
    data = make_corpus(clips=4, classes=("chirp", "hiss", "hum"))
    (tmp_path / "music").mkdir()
    for number in range(2):
        soundfile.write(tmp_path / "music" / f"{number}.ogg", synthesise(7.0, 22_050, 1, number), 22_050)
    run = tmp_path / "run"
    arguments = [*fit_arguments(data, run, "edge", "tracks", 2), "--unlabelled", str(tmp_path / "music")]
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        interrupt_before(1, patch)
        fit.main(arguments)
    assert fit.main(arguments) == 0
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


def test_crops_of_segments_are_one_window_long() -> None:
    for split, windows in (("segments", 1), ("tracks", EDGE.stream.crop_windows)):
        assert recipe_for_split(EDGE, split).stream.crop_windows == windows
    assert recipe_for_split(EDGE, "segments").stream.crop_frames == EDGE.segment_frames
    assert recipe_for_split(RECIPES["seed"], "segments") == RECIPES["seed"]
