"""The baselines on made-up features, and the features that are computed here on tones and noise."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from edge.errors import EdgeError

if TYPE_CHECKING:
    from train.corpus.clips import Clip

pytestmark = pytest.mark.workstation

NAMES = ("MFCC + SVM", "MusiCNN + LR")


@pytest.fixture
def baselines() -> ModuleType:
    from benchmarks.accuracy import baselines

    return baselines


@pytest.fixture
def clips() -> "list[Clip]":
    from train.corpus.clips import Clip

    return [Clip(Path(f"{i}.wav"), f"{label}/{i}.wav", label) for i in range(4) for label in ("jazz", "metal")]


def separable(clips: "list[Clip]") -> dict[str, np.ndarray]:
    """Features that separate jazz from metal."""
    rng = np.random.default_rng(0)
    return {c.name: rng.normal(5 if c.label == "jazz" else -5, 1, 60) for c in clips}


def test_mfcc_statistics_separate_hiss_from_hum_and_a_file_that_is_not_audio_is_named(
    baselines: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from train.corpus.clips import Clip

    rng = np.random.default_rng(0)
    sounds = {"hiss": rng.normal(0, 0.1, 22_050), "hum": 0.1 * np.sin(np.arange(22_050) / 20), "short": np.zeros(2100)}
    for name, samples in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, 22_050)
    (tmp_path / "text.wav").write_text("no audio")
    names = (*sounds, "text")
    found = baselines.BASELINES[0].features_of([Clip(tmp_path / f"{name}.wav", name, name) for name in names])
    assert set(found) == {"hiss", "hum"}
    assert all(features.shape == (60,) and np.isfinite(features).all() for features in found.values())
    assert found["hiss"][0] > found["hum"][0]  # more energy over all bands
    skipped = capsys.readouterr().err.splitlines()
    assert skipped[0] == "skipped short for MFCC + SVM: too short"
    assert skipped[1].startswith("skipped text for MFCC + SVM: unreadable")


@pytest.mark.parametrize("number", [0, 1], ids=NAMES)
def test_a_baseline_learns_from_features(baselines: ModuleType, clips: "list[Clip]", number: int) -> None:
    features = separable(clips)
    inputs = {clip.name: features[clip.name] for clip in clips[:2]}
    baseline = baselines.BASELINES[number]
    assert baseline.name == NAMES[number]
    assert baseline.predict(clips[2:], features, inputs) == {"jazz/0.wav": "jazz", "metal/0.wav": "metal"}


def test_one_class_is_not_enough_to_train_on(baselines: ModuleType, clips: "list[Clip]") -> None:
    features = separable(clips)
    with pytest.raises(EdgeError, match="needs clips of at least two classes"):
        baselines.BASELINES[0].predict([clip for clip in clips if clip.label == "jazz"], features, features)
