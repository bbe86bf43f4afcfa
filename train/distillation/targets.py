"""Training targets from a teacher: embeddings to reproduce, and soft labels.

The student's LSTM learns to predict the teacher's embedding of each window (FitNets, Romero et al. 2015). The teacher's
label probabilities are half of the target of a labelled clip (Hinton, Vinyals and Dean 2015) and the whole target of
unlabelled music.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from edge.arrays import FloatArray
from edge.audio.files import AUDIO_SUFFIXES
from edge.errors import EdgeError
from train.augment.variants import SPEEDS, VOCODED
from train.corpus.dataset import Dataset, Example
from train.corpus.features import extract_features
from train.distillation.musicnn import EMBEDDING, TAGS, musicnn_outputs
from train.recipes import Recipe

C = 0.02  # inverse strength of the regression's penalty, for standardised embeddings
MAX_FOLDS = 8  # of the cross-validation that labels the labelled clips
MIN_SCALE = 0.05  # of the mean standard deviation; some dimensions of the embedding are nearly always zero


TargetKey = tuple[str, str | None]  # name of a clip, and kind of variant


@dataclass(frozen=True)
class SoftTarget:
    """Targets for one clip: standardised embeddings (windows, EMBEDDING) and label probabilities (labels,)."""

    embeddings: FloatArray
    probabilities: FloatArray


NO_TARGET = SoftTarget(np.empty((0, EMBEDDING), np.float32), np.empty(0, np.float32))


@dataclass(frozen=True)
class TeacherEmbeddings:
    """Embeddings of a corpus and of unlabelled music by the teacher."""

    labelled: dict[TargetKey, FloatArray]  # (windows, EMBEDDING) each
    unlabelled: list[tuple[FloatArray, FloatArray]]  # log-mel (frames, n_mels) and (windows, EMBEDDING)


def teacher_embeddings(dataset: Dataset, folders: list[Path], recipe: Recipe, cache: Path) -> TeacherEmbeddings:
    """Compute the teacher's embeddings of a dataset and of all audio below `folders`.

    Parameters
    ----------
    dataset
        A dataset of whole clips.
    folders
        Folders of unlabelled music. Files that cannot be used are named on standard error.
    recipe
        Decides the features of the unlabelled music.
    cache
        Folder of the feature cache.

    Raises
    ------
    EdgeError
        If a clip is too short for the teacher, the folders contain no audio, or MusiCNN is not installed.
    """
    examples = [example for side in dataset.sides.values() for example in side]
    examples += [example for example in dataset.variants if example.variant in SPEEDS]
    examples += dataset.vocoded.get("train", [])
    labelled = {}
    for variant in (None, *SPEEDS, VOCODED):
        clips = list({e.clip.name: e.clip for e in examples if e.variant == variant}.values())
        outputs = musicnn_outputs([clip.path for clip in clips], cache, variant)
        for clip, output in zip(clips, outputs, strict=True):
            if not isinstance(output, str):
                labelled[clip.name, variant] = output[:, TAGS:]
            elif variant is None:
                raise EdgeError(f"the teacher cannot use {clip.name}: {output}")
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES)
    if folders and not paths:
        raise EdgeError(f"no audio below {', '.join(map(str, folders))}")
    log_mels, outputs = extract_features(paths, recipe, cache), musicnn_outputs(paths, cache)
    unlabelled = []
    for path, log_mel, output in zip(paths, log_mels, outputs, strict=True):
        if isinstance(log_mel, str) or isinstance(output, str):
            print(f"skipped {path}: {log_mel if isinstance(log_mel, str) else output}", file=sys.stderr)
        else:
            unlabelled.append((log_mel[0], output[:, TAGS:]))
    return TeacherEmbeddings(labelled, unlabelled)


def target_key(example: Example) -> TargetKey:
    """Key of the target for an example: variants in a room or through the vocoder share the target of their clip."""
    return example.clip.name, example.variant if example.variant in SPEEDS else None


def make_targets(
    dataset: Dataset, embeddings: TeacherEmbeddings
) -> tuple[dict[TargetKey, SoftTarget], list[tuple[FloatArray, SoftTarget]]]:
    """Make the targets for the training side and for unlabelled music.

    No clip of another side has an influence: neither on the scale of the embeddings nor on the logistic regression that
    turns embeddings into label probabilities.

    Returns
    -------
    targets : dict
        Targets of the training side by `target_key`. A variant that is faster than its clip may be too short for the
        teacher and has none.
    unlabelled : list
        Log-mel (frames, n_mels) and target of each piece of unlabelled music.

    Raises
    ------
    EdgeError
        If a class has clips of fewer than two artists on the training side.
    """
    examples = dataset.sides["train"] + dataset.variants
    keys = sorted({target_key(e) for e in examples} & set(embeddings.labelled), key=str)
    windows = np.concatenate([embeddings.labelled[key] for key in keys] + [found for _, found in embeddings.unlabelled])
    mean, deviation = windows.mean(axis=0), windows.std(axis=0)
    scale = deviation + MIN_SCALE * deviation.mean()

    def standardise(embedding: FloatArray) -> FloatArray:
        standardised: FloatArray = ((embedding - mean) / scale).astype(np.float32)
        return standardised

    # If some classes are mostly reconstructions, a regression recognises them by the vocoder and gives music without
    # one no share of them. So it is also fitted on the embeddings of vocoded copies of the other classes.
    fitted_on = [key for key in keys if key[1] is None]
    vocoded = [(example.clip.name, VOCODED) for example in dataset.vocoded.get("train", [])]
    fitted_on += sorted(set(vocoded) & set(embeddings.labelled))
    truth = {example.clip.name: example.label for example in examples}
    labels = np.array([truth[name] for name, _ in fitted_on])
    means = np.stack([standardise(embeddings.labelled[key]).mean(axis=0) for key in fitted_on])
    regression = LogisticRegression(C=C, max_iter=1000, class_weight="balanced")
    # A regression is overconfident on the clips it was fitted on, so labelled clips get out-of-fold probabilities.
    groups = [dataset.artists.get(name, name) for name, _ in fitted_on]
    artists = [len({group for group, own in zip(groups, labels, strict=True) if own == label}) for label in set(labels)]
    count = min(MAX_FOLDS, *artists)
    if count < 2:
        raise EdgeError("a class has clips of one artist on the training side; the teacher needs two")
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=0)
    out_of_fold = cross_val_predict(regression, means, labels, groups=groups, cv=folds, method="predict_proba")
    probabilities = dict(zip(fitted_on, out_of_fold, strict=True))
    targets = {
        key: SoftTarget(standardise(embeddings.labelled[key]), probabilities[key[0], None].astype(np.float32))
        for key in keys
    }
    regression.fit(means, labels)
    unlabelled = []
    for log_mel, found in embeddings.unlabelled:
        standardised = standardise(found)
        of_music = regression.predict_proba(standardised.mean(axis=0)[None])[0].astype(np.float32)
        unlabelled.append((log_mel, SoftTarget(standardised, of_music)))
    return targets, unlabelled
