"""The model beside the baselines, on made-up features."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.answer import Answer
from edge.errors import EdgeError

if TYPE_CHECKING:
    from benchmarks.accuracy.evaluation import Prediction
    from train.corpus.clips import Clip

pytestmark = pytest.mark.workstation

NAMES = ("MFCC + SVM", "MusiCNN + LR")


@pytest.fixture
def comparison() -> ModuleType:
    from benchmarks.accuracy import comparison

    return comparison


@pytest.fixture
def clips() -> "list[Clip]":
    from train.corpus.clips import Clip

    return [Clip(Path(f"{i}.wav"), f"{label}/{i}.wav", label) for i in range(4) for label in ("jazz", "metal")]


def separable(clips: "list[Clip]") -> dict[str, np.ndarray]:
    """Features that separate jazz from metal."""
    rng = np.random.default_rng(0)
    return {c.name: rng.normal(5 if c.label == "jazz" else -5, 1, 60) for c in clips}


def prediction(clip: "Clip", label: str | None, source: str = "audio") -> "Prediction":
    from benchmarks.accuracy.evaluation import Prediction

    return Prediction(clip, source, Answer(30.0, "music" if label else "other", label))


def test_all_are_compared_on_the_same_clips(comparison: ModuleType, clips: "list[Clip]") -> None:
    features = separable(clips)
    unreadable = {name: values for name, values in features.items() if name != "metal/0.wav"}
    of_baselines = dict(zip(NAMES, (features, unreadable), strict=True))
    predictions = [
        prediction(clips[0], None),
        prediction(clips[1], "metal"),
        prediction(clips[2], "jazz", "reconstructed"),
    ]
    table = comparison.compare(predictions, clips[3:], of_baselines, of_baselines)
    assert {name: (row["all"].value, row["all"].n) for name, row in table.items()} == {
        "model": (0.5, 2),
        "MFCC + SVM": (1.0, 2),
        "MusiCNN + LR": (1.0, 2),
    }
    assert {source: share.value for source, share in table["model"].items()} == {
        "all": 0.5,
        "audio": 0.0,
        "reconstructed": 1.0,
    }


def test_nothing_to_compare_is_an_error(comparison: ModuleType, clips: "list[Clip]") -> None:
    with pytest.raises(EdgeError, match="could read none"):
        comparison.compare([prediction(clips[0], "jazz")], clips[1:], {}, {name: {} for name in NAMES})


def test_across_folds_no_clip_is_predicted_by_a_baseline_trained_on_its_fold(
    comparison: ModuleType, clips: "list[Clip]", monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.accuracy.cross_validation import FoldPrediction

    trained_and_predicted = []

    class Observed:
        name = "observed"

        def predict(self, train_clips: list, train_features: dict, features: dict) -> dict[str, str]:
            trained_and_predicted.append(({clip.name for clip in train_clips}, set(features)))
            return dict.fromkeys(features, "jazz")

    monkeypatch.setattr(comparison, "BASELINES", (Observed(),))
    folds = [FoldPrediction(clip, "audio", number % 3, clip.label) for number, clip in enumerate(clips)]
    table = comparison.compare_folds(folds, {"observed": separable(clips)})
    assert len(trained_and_predicted) == 3
    for trained, predicted in trained_and_predicted:
        assert not trained & predicted
        assert trained | predicted == {clip.name for clip in clips}
    assert (table.accuracy["recipe"]["all"].value, table.accuracy["observed"]["all"].value) == (1.0, 0.5)
    ahead = table.ahead["observed"]
    assert ahead.difference == 0.5
    assert 0 < ahead.low < 0.5 < ahead.high
