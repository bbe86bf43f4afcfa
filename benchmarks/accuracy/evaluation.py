"""Predictions about clips whose labels are known, and how accurate they are."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix

from edge.answer import Answer
from edge.model.card import Card
from train.corpus.clips import Clip
from train.evaluation.metrics import Share, calibration_error, cluster_bootstrap, share_with_interval

NO_GENRE = ("other", "unknown", "silence")  # states of a whole clip without a label
ALL = "all"  # name of the share of all clips, beside those of groups
CONFIDENCES = tuple(tenths / 10 for tenths in range(10))
SEED = 0


@dataclass(frozen=True)
class Prediction:
    """A clip, the origin of its audio ("" if no list says so), and the answer for the whole of it."""

    clip: Clip
    source: str
    answer: Answer

    @property
    def label_or_state(self) -> str:
        """Label of the answer, or its state if it has no label."""
        return self.answer.label or self.answer.state

    @property
    def correct(self) -> bool:
        """True if the label is the clip's."""
        return self.answer.label == self.clip.label

    @property
    def without_genre(self) -> bool:
        """True if the answer has no label."""
        return self.answer.label is None

    @property
    def likeliest(self) -> tuple[str | None, float]:
        """Likeliest label and its probability, even if it was too low for an answer; (None, 0) for silence."""
        return self.answer.top[0] if self.answer.top else (None, 0.0)


@dataclass(frozen=True)
class Paired:
    """Two shares of the same clips, and their difference with its 95 % interval (bootstrap over clips)."""

    before: Share
    after: Share
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Report:
    """Accuracy of a model on music."""

    accuracy: dict[str, Share]  # ALL, and by source
    recall: dict[str, Share]
    confusion: dict[str, dict[str, int]]  # true label → predicted label or state → number of clips
    without_genre: dict[str, Share]  # ALL, and by state
    calibration_error: float | None  # None if all clips are silent
    coverage: dict[str, Share | None]  # accuracy of the likeliest labels, by the least confidence that counts


def share(hits: Iterable[bool]) -> Share:
    """Share of true values, of which there is at least one value."""
    counted = list(hits)
    return share_with_interval(sum(counted), len(counted))


def paired(before: Sequence[bool], after: Sequence[bool]) -> Paired:
    """Compare two shares of the same clips, in the same order."""
    change = np.array(after, float) - np.array(before, float)
    low, high = cluster_bootstrap(change, np.arange(len(change)), SEED)
    return Paired(share(before), share(after), float(change.mean()), low, high)


def by_group(hits: Iterable[tuple[str, bool]]) -> dict[str, Share]:
    """Share of hits in each group of (group, hit), sorted by name; hits with the group "" are left out."""
    named = sorted(pair for pair in hits if pair[0])
    return {name: share(hit for _, hit in pairs) for name, pairs in itertools.groupby(named, lambda pair: pair[0])}


def with_groups(hits: Sequence[tuple[str, bool]]) -> dict[str, Share]:
    """Share of hits among all of (group, hit), and in each group."""
    return {ALL: share(hit for _, hit in hits), **by_group(hits)}


def report(predictions: Sequence[Prediction], card: Card) -> Report:
    """Evaluate at least one prediction of a model with this card on music."""
    return Report(
        accuracy=with_groups([(p.source, p.correct) for p in predictions]),
        recall=by_group((p.clip.label, p.correct) for p in predictions),
        confusion=confusion(predictions, card),
        without_genre={
            ALL: share(p.without_genre for p in predictions),
            **{state: share(p.label_or_state == state for p in predictions) for state in NO_GENRE},
        },
        calibration_error=confidence_error(predictions, card.labels),
        coverage=coverage(predictions),
    )


def confusion(predictions: Sequence[Prediction], card: Card) -> dict[str, dict[str, int]]:
    """Number of clips by true label, and by predicted label or state."""
    columns = [*(label for label in card.labels if label not in card.not_music), *NO_GENRE]
    truths = sorted({p.clip.label for p in predictions})
    names = [*columns, *(label for label in truths if label not in columns)]
    matrix = confusion_matrix(
        [p.clip.label for p in predictions], [p.label_or_state for p in predictions], labels=names
    )
    counts = dict(zip(names, matrix.tolist(), strict=True))
    return {truth: dict(zip(columns, counts[truth], strict=False)) for truth in truths}


def confidence_error(predictions: Sequence[Prediction], labels: tuple[str, ...]) -> float | None:
    """Expected calibration error of the likeliest labels; silent clips, which have none, are left out."""
    sounding = [p for p in predictions if p.answer.top]
    if not sounding:
        return None
    probabilities = np.array([[dict(p.answer.top)[label] for label in labels] for p in sounding], np.float32)
    return calibration_error(probabilities, np.array([labels.index(p.clip.label) for p in sounding]))


def coverage(predictions: Sequence[Prediction]) -> dict[str, Share | None]:
    """Accuracy of the likeliest label where its probability is at least each of CONFIDENCES; None if it never is.

    The threshold for "unknown" is chosen from this, so it must not depend on the threshold in use.
    """
    curve: dict[str, Share | None] = {}
    for least in CONFIDENCES:
        confident = [p.likeliest[0] == p.clip.label for p in predictions if p.likeliest[1] >= least]
        curve[f"{least:.1f}"] = share(confident) if confident else None
    return curve
