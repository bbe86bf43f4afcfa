"""Accuracy of the label on show while music changes: clips in one go, without a reset or silence between them."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.arrays import FloatArray
from edge.config import HOP_SECONDS
from edge.listener import Listener
from edge.model.load import load_model
from train.corpus.audio import load_audio
from train.corpus.clips import Clip
from train.evaluation.metrics import cluster_bootstrap

SEED = 0


@dataclass(frozen=True)
class ShownLabels:
    """Labels on show during one clip, hop by hop."""

    truth: str
    labels: tuple[str | None, ...]

    @property
    def correct(self) -> list[bool]:
        """True for each hop that showed the clip's label."""
        return [label == self.truth for label in self.labels]

    @property
    def seconds_to_correct(self) -> float:
        """Time from the change to the first correct label; infinite if there is none."""
        return (self.correct.index(True) + 1) * HOP_SECONDS if any(self.correct) else float("inf")

    @property
    def flips(self) -> int:
        """Changes from label to label, except the one that the new clip requires."""
        labels = [label for label in self.labels if label]
        return max(0, sum(a != b for a, b in itertools.pairwise(labels)) - 1)


@dataclass(frozen=True)
class Report:
    """Accuracy on a stream; shares are of hops, intervals are 95 % by drawing whole clips."""

    model: str
    hours: float
    clips: int
    right: float
    right_low: float
    right_high: float
    right_first_quarter: float
    right_last_quarter: float
    median_seconds_to_right: float | None  # None if more than half of the clips never get their label
    clips_never_right: float
    flips_per_minute: float

    def __str__(self) -> str:
        wait = f"{self.median_seconds_to_right:.1f} s" if self.median_seconds_to_right is not None else "never"
        return (
            f"{self.hours:.2f} h of {self.clips} clips with hard changes: the label on show is right {self.right:.1%} "
            f"of the time [{self.right_low:.1%}, {self.right_high:.1%}] (first quarter {self.right_first_quarter:.1%}, "
            f"last {self.right_last_quarter:.1%});\nmedian time from a change to the right label {wait}, "
            f"{self.clips_never_right:.0%} of the clips never get it; {self.flips_per_minute:.1f} flips a minute "
            "within clips."
        )


def measure(model_file: Path, clips: list[Clip], hours: float) -> Report:
    """Listen to the clips in a seeded random order until the hours are full."""
    model = load_model(model_file)
    rate = model.card.front_end.sample_rate
    listener = Listener(model, rate)
    shown: list[ShownLabels] = []
    indices: list[int] = []
    for index in shuffles(len(clips)):
        samples = whole_hops(load_audio(clips[index].path, rate), rate)
        shown.append(ShownLabels(clips[index].label, tuple(a.label for a in listener.process(samples[:, None]))))
        indices += [index] * len(shown[-1].labels)
        if len(indices) * HOP_SECONDS >= hours * 3600:
            break
    correct = np.concatenate([s.correct for s in shown])
    low, high = cluster_bootstrap(correct, np.array(indices), SEED)
    waits = np.array([s.seconds_to_correct for s in shown])
    quarter = max(1, len(correct) // 4)
    return Report(
        model=str(model_file),
        hours=len(correct) * HOP_SECONDS / 3600,
        clips=len(shown),
        right=float(correct.mean()),
        right_low=low,
        right_high=high,
        right_first_quarter=float(correct[:quarter].mean()),
        right_last_quarter=float(correct[-quarter:].mean()),
        median_seconds_to_right=float(np.median(waits)) if np.isfinite(np.median(waits)) else None,
        clips_never_right=float(np.isinf(waits).mean()),
        flips_per_minute=sum(s.flips for s in shown) / (len(correct) * HOP_SECONDS / 60),
    )


def shuffles(count: int) -> Iterator[int]:
    """Yield seeded permutations of 0..count-1, one after the other, without end."""
    rng = np.random.default_rng(SEED)
    while True:
        yield from rng.permutation(count).tolist()


def whole_hops(samples: FloatArray, rate: int) -> FloatArray:
    """Drop the samples of an incomplete last hop, so that each hop belongs to one clip."""
    hop = round(HOP_SECONDS * rate)
    return samples[: len(samples) // hop * hop]
