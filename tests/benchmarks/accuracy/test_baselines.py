"""Yardsticks on made-up features, and the one whose features are computed here on tones and noise."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.accuracy import comparison
from benchmarks.accuracy.baselines import YARDSTICKS, Described
from benchmarks.accuracy.comparison import compare, compare_across
from benchmarks.accuracy.cross_validation import Folded
from benchmarks.accuracy.evaluation import Judged
from edge.decision import Answer
from edge.errors import EdgeError
from train.corpus import Clip

SVM = YARDSTICKS[0]
CLIPS = [Clip(Path(f"{i}.wav"), f"{label}/{i}.wav", label) for i in range(4) for label in ("jazz", "metal")]


def telling(clips: list[Clip]) -> Described:
    """Features that tell jazz from metal."""
    rng = np.random.default_rng(0)
    return {c.name: rng.normal(5 if c.label == "jazz" else -5, 1, 60) for c in clips}


def judged(clip: Clip, label: str | None, source: str = "audio") -> Judged:
    return Judged(clip, source, Answer(30.0, "music" if label else "other", label))


def test_mfcc_statistics_tell_hiss_from_hum_and_name_what_is_no_audio(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    sounds = {"hiss": rng.normal(0, 0.1, 22_050), "hum": 0.1 * np.sin(np.arange(22_050) / 20), "short": np.zeros(2100)}
    for name, samples in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, 22_050)
    (tmp_path / "text.wav").write_text("no audio")
    names = (*sounds, "text")
    found = SVM.described([Clip(tmp_path / f"{name}.wav", name, name) for name in names])
    assert set(found) == {"hiss", "hum"}
    assert all(features.shape == (60,) and np.isfinite(features).all() for features in found.values())
    assert found["hiss"][0] > found["hum"][0]  # more energy over all bands
    skipped = capsys.readouterr().err.splitlines()
    assert skipped[0] == "skipped short for MFCC + SVM: too short"
    assert skipped[1].startswith("skipped text for MFCC + SVM: unreadable")


@pytest.mark.parametrize("yardstick", YARDSTICKS, ids=lambda y: y.name)
def test_a_yardstick_learns_from_features(yardstick: object) -> None:
    features = telling(CLIPS)
    asked = {clip.name: features[clip.name] for clip in CLIPS[:2]}
    assert yardstick.answers(CLIPS[2:], features, asked) == {"jazz/0.wav": "jazz", "metal/0.wav": "metal"}


def test_one_class_is_nothing_to_learn() -> None:
    features = telling(CLIPS)
    with pytest.raises(EdgeError, match="needs clips of two classes"):
        SVM.answers([clip for clip in CLIPS if clip.label == "jazz"], features, features)


def test_all_are_judged_on_the_same_clips() -> None:
    features = telling(CLIPS)
    unread = {name: values for name, values in features.items() if name != "metal/0.wav"}
    asked = {"MFCC + SVM": features, "MusiCNN + LR": unread}
    said = [judged(CLIPS[0], None), judged(CLIPS[1], "metal"), judged(CLIPS[2], "jazz", "reconstructed")]
    table = compare(said, CLIPS[3:], asked, asked)
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


def test_nothing_to_compare_is_said() -> None:
    with pytest.raises(EdgeError, match="could read none"):
        compare([judged(CLIPS[0], "jazz")], CLIPS[1:], {}, {yardstick.name: {} for yardstick in YARDSTICKS})


def test_across_folds_no_clip_is_judged_by_what_has_learned_its_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    learned_and_asked = []

    class Watched:
        name = "watched"

        def answers(self, learned: list[Clip], heard: Described, asked: Described) -> dict[str, str]:
            learned_and_asked.append(({clip.name for clip in learned}, set(asked)))
            return dict.fromkeys(asked, "jazz")

    monkeypatch.setattr(comparison, "YARDSTICKS", (Watched(),))
    folds = [Folded(clip, "audio", number % 3, clip.label) for number, clip in enumerate(CLIPS)]
    table = compare_across(folds, {"watched": telling(CLIPS)})
    assert len(learned_and_asked) == 3
    for learned, asked in learned_and_asked:
        assert not learned & asked
        assert learned | asked == {clip.name for clip in CLIPS}
    assert (table.accuracy["recipe"]["all"].value, table.accuracy["watched"]["all"].value) == (1.0, 0.5)
    ahead = table.ahead["watched"]
    assert ahead.difference == 0.5
    assert 0 < ahead.low < 0.5 < ahead.high
