"""What a teacher says of the music at hand, made into lessons for the network: about labelled and unlabelled clips.

The teacher's features of each window are what the network's own memory has to tell (FitNets, Romero et al. 2015). Its
opinion on the labels is half of the target of a labelled clip (Hinton, Vinyals and Dean 2015), and the whole where
music has no label.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from edge.errors import EdgeError
from edge.frontend import FloatArray
from edge.label import AUDIO_SUFFIXES
from train.augment.variants import SPEEDS, VOCODED
from train.corpus.dataset import Dataset, Part
from train.corpus.features import extract
from train.distillation.musicnn import FEATURES, TAGS, signals
from train.recipes import Recipe

C = 0.02  # inverse strength of the regression's penalty, for standardised features
OPINION_FOLDS = 8
LEAST_SCALE = 0.05  # of the mean deviation; some features are all but always zero


Key = tuple[str, str | None]


@dataclass(frozen=True)
class Lesson:
    """About one clip: standardised teacher features (windows, FEATURES), and the teacher's opinion (labels,)."""

    features: FloatArray
    opinion: FloatArray


NO_LESSON = Lesson(np.empty((0, FEATURES), np.float32), np.empty(0, np.float32))


@dataclass(frozen=True)
class Heard:
    """Music and what the teacher has heard in it."""

    signals: dict[Key, FloatArray]  # clip name and kind of copy → (windows, FEATURES)
    unlabelled: list[tuple[FloatArray, FloatArray]]  # log-mel (frames, n_mels) and (windows, FEATURES)


def hear(dataset: Dataset, folders: list[Path], recipe: Recipe, cache: Path) -> Heard:
    """Let the teacher hear all clips of a dataset and all audio below `folders`. Raise EdgeError."""
    parts = [part for side in dataset.sides.values() for part in side]
    parts += [part for part in dataset.copies if part.kind in SPEEDS]
    parts += dataset.vocoded.get("train", [])
    by_name = {}
    for kind in (None, *SPEEDS, VOCODED):
        clips = list({part.clip.name: part.clip for part in parts if part.kind == kind}.values())
        for clip, found in zip(clips, signals([clip.path for clip in clips], cache, kind), strict=True):
            if not isinstance(found, str):
                by_name[clip.name, kind] = found[:, TAGS:]
            elif kind is None:
                raise EdgeError(f"the teacher can't hear {clip.name}: {found}")
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES)
    if folders and not paths:
        raise EdgeError(f"no audio below {', '.join(map(str, folders))}")
    log_mels, opinions = extract(paths, recipe, cache), signals(paths, cache)
    unlabelled = []
    for path, log_mel, found in zip(paths, log_mels, opinions, strict=True):
        if isinstance(log_mel, str) or isinstance(found, str):
            print(f"skipped {path}: {log_mel if isinstance(log_mel, str) else found}", file=sys.stderr)
        else:
            unlabelled.append((log_mel[0], found[:, TAGS:]))
    return Heard(by_name, unlabelled)


def key_of(part: Part) -> Key:
    """Under what the lesson about a part is found: a room and a vocoder change nothing about what there is to say."""
    return part.clip.name, part.kind if part.kind in SPEEDS else None


def teach(dataset: Dataset, heard: Heard) -> tuple[dict[Key, Lesson], list[tuple[FloatArray, Lesson]]]:
    """The lessons about the training side, by `key_of` a part, and those about the unlabelled music with its log-mels.

    Nothing of another side has a part in them: neither in the scale nor in the regression that turns the teacher's
    features into an opinion on the labels.
    """
    parts = dataset.sides["train"] + dataset.copies
    # A copy that is faster than its clip may be too short for the teacher: then there is no lesson about it.
    keys = sorted({key_of(part) for part in parts} & set(heard.signals), key=str)
    frames = np.concatenate([heard.signals[key] for key in keys] + [found for _, found in heard.unlabelled])
    mean, deviation = frames.mean(axis=0), frames.std(axis=0)
    scale = deviation + LEAST_SCALE * deviation.mean()

    def standard(found: FloatArray) -> FloatArray:
        features: FloatArray = ((found - mean) / scale).astype(np.float32)
        return features

    # Where some classes are mostly reconstructions, a regression would know them by the vocoder, and say of music
    # without one that it is none of theirs. So it also sees what the teacher makes of the others' vocoded copies.
    witnesses = [key for key in keys if key[1] is None]
    vocoded = [(part.clip.name, VOCODED) for part in dataset.vocoded.get("train", [])]
    witnesses += sorted(set(vocoded) & set(heard.signals))
    truth = {part.clip.name: part.label for part in parts}
    known = np.array([truth[name] for name, _ in witnesses])
    means = np.stack([standard(heard.signals[key]).mean(axis=0) for key in witnesses])
    regression = LogisticRegression(C=C, max_iter=1000, class_weight="balanced")
    # A regression is sure of what it was fitted on: its opinion on a labelled clip comes from others' clips.
    groups = [dataset.artists.get(name, name) for name, _ in witnesses]
    artists = [len({group for group, own in zip(groups, known, strict=True) if own == label}) for label in set(known)]
    count = min(OPINION_FOLDS, *artists)
    if count < 2:
        raise EdgeError("a class has one artist or clip on the training side; the teacher's opinion needs two")
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=0)
    opinions = dict(
        zip(
            witnesses,
            cross_val_predict(regression, means, known, groups=groups, cv=folds, method="predict_proba"),
            strict=True,
        )
    )
    lessons = {key: Lesson(standard(heard.signals[key]), opinions[key[0], None].astype(np.float32)) for key in keys}
    regression.fit(means, known)
    unlabelled = []
    for log_mel, found in heard.unlabelled:
        features = standard(found)
        opinion = regression.predict_proba(features.mean(axis=0)[None])[0].astype(np.float32)
        unlabelled.append((log_mel, Lesson(features, opinion)))
    return lessons, unlabelled
