"""What a model said about clips whose truth is known, and how right that is."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edge.card import Card
from edge.decision import Answer
from train.corpus import Clip
from train.metrics import calibration_error, cluster_bootstrap, wilson

NO_GENRE = ("other", "unknown", "silence")  # the states of a whole clip that give it no label
ALL = "all"  # the name of a share that isn't of one group
CONFIDENCES = tuple(tenths / 10 for tenths in range(10))
SEED = 0


@dataclass(frozen=True)
class Judged:
    """A clip, where its audio comes from ("" where no list says so), and the answer for the whole of it."""

    clip: Clip
    source: str
    answer: Answer

    @property
    def said(self) -> str:
        """The label, or the state where there is none."""
        return self.answer.label or self.answer.state

    @property
    def right(self) -> bool:
        """Whether the label is the truth."""
        return self.answer.label == self.clip.label

    @property
    def refused(self) -> bool:
        """Whether it was given no genre."""
        return self.answer.label is None

    @property
    def likeliest(self) -> tuple[str | None, float]:
        """The likeliest label and its probability, also where that was not enough to be said; none in silence."""
        return self.answer.top[0] if self.answer.top else (None, 0.0)


@dataclass(frozen=True)
class Share:
    """A share of n clips with its 95 % interval (Wilson)."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Paired:
    """What a share changes by, on the same clips, with its 95 % interval (bootstrap over clips)."""

    before: Share
    after: Share
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Report:
    """How right a model is about music."""

    accuracy: dict[str, Share]  # ALL, and by source
    recall: dict[str, Share]
    confusion: dict[str, dict[str, int]]  # truth → what was said → clips
    without_genre: dict[str, Share]  # ALL, and by state
    calibration_error: float | None  # None where all was silence
    coverage: dict[str, Share | None]  # of the likeliest labels, by the least confidence that counts


def share(hits: Iterable[bool]) -> Share:
    """The share of true ones among at least one."""
    counted = list(hits)
    right, n = sum(counted), len(counted)
    return Share(right / n, *wilson(right, n), n)


def paired(before: Sequence[bool], after: Sequence[bool]) -> Paired:
    """Compare two shares of the same clips, in the same order."""
    change = np.array(after, float) - np.array(before, float)
    low, high = cluster_bootstrap(change, np.arange(len(change)), SEED)
    return Paired(share(before), share(after), float(change.mean()), low, high)


def by_group(hits: Iterable[tuple[str, bool]]) -> dict[str, Share]:
    """The share of hits in each group of (group, hit), sorted by name; "" is no group."""
    named = sorted(pair for pair in hits if pair[0])
    return {name: share(hit for _, hit in pairs) for name, pairs in itertools.groupby(named, lambda pair: pair[0])}


def with_groups(hits: Sequence[tuple[str, bool]]) -> dict[str, Share]:
    """The share among ALL of (group, hit), and in each group."""
    return {ALL: share(hit for _, hit in hits), **by_group(hits)}


def report(judged: Sequence[Judged], card: Card) -> Report:
    """Measure the answers of a model with this card about clips of music, of which there is at least one."""
    genres = [label for label in card.labels if label not in card.not_music]
    truths = sorted({j.clip.label for j in judged})
    confusion = {truth: dict.fromkeys((*genres, *NO_GENRE), 0) for truth in truths}
    for j in judged:
        confusion[j.clip.label][j.said] += 1
    return Report(
        accuracy=with_groups([(j.source, j.right) for j in judged]),
        recall=by_group((j.clip.label, j.right) for j in judged),
        confusion=confusion,
        without_genre={
            ALL: share(j.refused for j in judged),
            **{state: share(j.said == state for j in judged) for state in NO_GENRE},
        },
        calibration_error=confidence_error(judged, card.labels),
        coverage=coverage(judged),
    )


def confidence_error(judged: Sequence[Judged], labels: tuple[str, ...]) -> float | None:
    """Expected calibration error of the likeliest labels; silence, which no model was asked about, is left out."""
    asked = [j for j in judged if j.answer.top]
    if not asked:
        return None
    probabilities = np.array([[dict(j.answer.top)[label] for label in labels] for j in asked], np.float32)
    return calibration_error(probabilities, np.array([labels.index(j.clip.label) for j in asked]))


def coverage(judged: Sequence[Judged]) -> dict[str, Share | None]:
    """Accuracy of the likeliest label where its probability is at least so much; None where it never is.

    The threshold for "unknown" is chosen from this, so it must not depend on the one in force.
    """
    curve: dict[str, Share | None] = {}
    for least in CONFIDENCES:
        sure = [j.likeliest[0] == j.clip.label for j in judged if j.likeliest[1] >= least]
        curve[f"{least:.1f}"] = share(sure) if sure else None
    return curve
