"""Other classifiers that a user could run: two that are trained on the same clips, on features of the whole clip.

They get a whole clip at once, while the model of this project gets a stream; the weights of MusiCNN alone are 9.5 MB.
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

from edge.arrays import FloatArray
from edge.errors import EdgeError
from edge.features.mfcc import FrontEnd
from train.corpus import cache
from train.corpus.audio import BadClipError, load_audio
from train.corpus.clips import Clip
from train.corpus.features import librosa_mfcc
from train.distillation import musicnn

FRONT_END = FrontEnd(n_mfcc=20)
# Both are the best of their decade in artist-grouped cross-validation over the train side of the fault-filtered GTZAN.
SVM_C = 10.0
REGRESSION_C = 0.03
Features = dict[str, FloatArray]  # clip name → its features, (n,)


@dataclass(frozen=True)
class Baseline:
    """Features of files, all of one length, or the reason why a file has none; and a classifier of them."""

    name: str
    extract: Callable[[list[Path]], list[FloatArray | str]]
    classifier: Callable[[], Pipeline]

    def features_of(self, clips: Sequence[Clip]) -> Features:
        """Features of the clips by name; clips without features are reported on standard error."""
        found: Features = {}
        for clip, features in zip(clips, self.extract([clip.path for clip in clips]), strict=True):
            if isinstance(features, str):
                print(f"skipped {clip.name} for {self.name}: {features}", file=sys.stderr)
            else:
                found[clip.name] = features
        return found

    def predict(self, train_clips: Iterable[Clip], train_features: Features, features: Features) -> dict[str, str]:
        """Train on the clips that have features, and predict the label of each clip in `features`.

        Raises
        ------
        EdgeError
            If there are fewer than two classes to train on.
        """
        known = [clip for clip in train_clips if clip.name in train_features]
        if len({clip.label for clip in known}) < 2:
            raise EdgeError(f"{self.name} needs clips of at least two classes to train on")
        classifier = self.classifier().fit(np.stack([train_features[c.name] for c in known]), [c.label for c in known])
        return dict(zip(features, map(str, classifier.predict(np.stack(list(features.values())))), strict=True))


def mfcc_statistics(paths: list[Path]) -> list[FloatArray | str]:
    """Mean, deviation and deviation of the first difference of each coefficient over a whole file: (60,).

    librosa.feature.delta, a slope over nine frames, smooths out what separates genres: it costs 8 points.
    """
    return list(joblib.Parallel(n_jobs=-1)(joblib.delayed(_mfcc_statistics)(path) for path in paths))


def _mfcc_statistics(path: Path) -> FloatArray | str:
    try:
        samples = load_audio(path, FRONT_END.sample_rate)
    except BadClipError as error:
        return str(error)
    if FRONT_END.frame_count(len(samples)) < 2:
        return "too short"
    mfcc = librosa_mfcc(samples, FRONT_END)
    parts = mfcc.mean(axis=0), mfcc.std(axis=0), np.diff(mfcc, axis=0).std(axis=0)
    statistics: FloatArray = np.concatenate(parts)
    return statistics


def musicnn_means(paths: list[Path]) -> list[FloatArray | str]:
    """Mean of MusiCNN's penultimate layer over a file's windows: (200,). Raise EdgeError if it is not installed."""
    windows = musicnn.musicnn_outputs(paths, cache.default_folder())
    return [w if isinstance(w, str) else w[:, musicnn.TAGS :].mean(axis=0) for w in windows]


BASELINES = (
    Baseline("MFCC + SVM", mfcc_statistics, lambda: make_pipeline(StandardScaler(), SVC(C=SVM_C))),
    Baseline(
        "MusiCNN + LR",
        musicnn_means,
        lambda: make_pipeline(StandardScaler(), LogisticRegression(C=REGRESSION_C, max_iter=2000)),
    ),
)
