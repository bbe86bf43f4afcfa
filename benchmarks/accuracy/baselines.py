"""What else a user could run: two classifiers that learn from the same clips, on features of the whole clip.

They hear a clip at once, where the model of this project hears a stream; MusiCNN's weights alone are 9.5 MB.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from edge.errors import EdgeError
from edge.frontend import FloatArray, FrontEnd
from train import cache, teacher
from train.audio import BadClipError, load
from train.corpus import Clip
from train.features import librosa_mfcc

FRONT_END = FrontEnd(n_mfcc=20)
# Both are the best of their decade in artist-grouped cross-validation over the train side of the fault-filtered GTZAN.
SVM_C = 10.0
REGRESSION_C = 0.03
Described = dict[str, FloatArray]  # clip name → its features, (n,)


@dataclass(frozen=True)
class Yardstick:
    """What it hears in files, features of one length or a reason why there are none, and how it learns from them."""

    name: str
    describe: Callable[[list[Path]], list[FloatArray | str]]
    classifier: Callable[[], Pipeline]

    def described(self, clips: Sequence[Clip]) -> Described:
        """The features of the clips by name; those that have none are named on standard error."""
        found: Described = {}
        for clip, features in zip(clips, self.describe([clip.path for clip in clips]), strict=True):
            if isinstance(features, str):
                print(f"skipped {clip.name} for {self.name}: {features}", file=sys.stderr)
            else:
                found[clip.name] = features
        return found

    def answers(self, learned: Iterable[Clip], heard: Described, asked: Described) -> dict[str, str]:
        """Learn the clips of which there are features in `heard`, and give the label of each in `asked`.

        Raise EdgeError where there are fewer than two classes to learn.
        """
        known = [clip for clip in learned if clip.name in heard]
        if len({clip.label for clip in known}) < 2:
            raise EdgeError(f"{self.name} needs clips of two classes at least to learn from")
        classifier = self.classifier().fit(np.stack([heard[clip.name] for clip in known]), [c.label for c in known])
        return dict(zip(asked, map(str, classifier.predict(np.stack(list(asked.values())))), strict=True))


def mfcc_statistics(paths: list[Path]) -> list[FloatArray | str]:
    """Mean, deviation and deviation of the first difference of each coefficient over a whole file: (60,).

    librosa.feature.delta, a slope over nine frames, would smooth away what tells genres apart: it costs 8 points.
    """
    return list(joblib.Parallel(n_jobs=-1)(joblib.delayed(_mfcc_statistics)(path) for path in paths))


def _mfcc_statistics(path: Path) -> FloatArray | str:
    try:
        samples = load(path, FRONT_END.sample_rate)
    except BadClipError as error:
        return str(error)
    if FRONT_END.frame_count(len(samples)) < 2:
        return "too short"
    mfcc = librosa_mfcc(samples, FRONT_END)
    return np.concatenate([mfcc.mean(axis=0), mfcc.std(axis=0), np.diff(mfcc, axis=0).std(axis=0)])


def musicnn_means(paths: list[Path]) -> list[FloatArray | str]:
    """Mean over a file's windows of MusiCNN's penultimate layer: (200,). Raise EdgeError where it is not installed."""
    found = teacher.signals(paths, cache.default_folder())
    return [s if isinstance(s, str) else s[:, teacher.TAGS :].mean(axis=0) for s in found]


YARDSTICKS = (
    Yardstick("MFCC + SVM", mfcc_statistics, lambda: make_pipeline(StandardScaler(), SVC(C=SVM_C))),
    Yardstick(
        "MusiCNN + LR",
        musicnn_means,
        lambda: make_pipeline(StandardScaler(), LogisticRegression(C=REGRESSION_C, max_iter=2000)),
    ),
)
