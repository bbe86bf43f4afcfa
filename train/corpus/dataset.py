"""A corpus made ready: its features, side by side of the split."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from edge.card import Normalisation
from edge.frontend import FloatArray
from train.corpus.clips import Clip
from train.corpus.features import mfccs
from train.recipes import Recipe


@dataclass(frozen=True)
class Part:
    """What one example is made of: a segment of a window recipe, or the whole clip of a stream recipe."""

    features: FloatArray  # of train.corpus.features.compute: (frames, n_mfcc), or (frames, n_mels) of a stream recipe
    clip: Clip
    label: int
    reconstructed: bool = False  # whether a vocoder made it, or this copy of it
    kind: str | None = None  # of copy, see train.augment.variants; None for the clip itself


@dataclass(frozen=True)
class Dataset:
    """All examples of a corpus by the side of the split they are on, and what was left out."""

    labels: tuple[str, ...]
    not_music: tuple[str, ...]
    sides: dict[str, list[Part]]
    held_back: str  # the side that metrics report
    leaky: bool
    note: str  # a sentence about the split
    skipped: dict[str, str]  # file → reason
    unlisted: int
    sources: dict[str, str]  # clip name → where its audio comes from, as far as the lists say
    artists: dict[str, str]  # clip name → who plays, as far as the lists say
    vocoded: dict[str, list[Part]]  # side → copies of its recorded music; empty where nothing is reconstructed
    copies: list[Part]  # of the training side, at other speeds and in rooms; none for windows and segments
    folds: dict[str, int]  # clip name → fold, where the split is folds and all clips are on the training side

    def without_fold(self, number: int) -> "Dataset":
        """The same corpus with one fold as the side that is held back."""

        def divided(parts: list[Part]) -> dict[str, list[Part]]:
            held_back = [part for part in parts if self.folds[part.clip.name] == number]
            return {"train": [part for part in parts if self.folds[part.clip.name] != number], "valid": held_back}

        vocoded = divided(self.vocoded["train"]) if self.vocoded else {}
        sides, copies = divided(self.sides["train"]), divided(self.copies)["train"]
        return replace(self, sides=sides, held_back="valid", vocoded=vocoded, copies=copies, folds={})

    @property
    def fingerprint(self) -> str:
        """SHA-256 of who is on which side with which features: two equal ones train the same.

        Vocoded copies follow from these, but not to the last bit: Griffin-Lim makes rounding errors grow.
        """
        total = hashlib.sha256()
        for side in sorted(self.sides):
            for part in self.sides[side]:
                place = f"{side}{self.folds.get(part.clip.name, '')}"
                total.update(f"{place}\0{part.clip.name}\0{digest(part.features)}\n".encode())
        return total.hexdigest()

    def clips_per_class(self) -> dict[str, dict[str, int]]:
        """Side → label → number of clips with an example there."""
        counts = {}
        for side, parts in self.sides.items():
            names = Counter(label for label, _ in {(part.clip.label, part.clip.name) for part in parts})
            counts[side] = {label: names[label] for label in self.labels}
        return counts

    @property
    def mostly_reconstructed(self) -> tuple[str, ...]:
        """The classes whose training clips are reconstructions for the most part."""
        train = self.sides["train"]
        marked = Counter(part.clip.label for part in train if part.reconstructed)
        total = Counter(part.clip.label for part in train)
        return tuple(label for label in self.labels if 2 * marked[label] > total[label])

    def normalisation(self, recipe: Recipe) -> Normalisation:
        """Mean and deviation of each coefficient over the music of the training side."""
        music = [mfccs(p.features, recipe) for p in self.sides["train"] if p.clip.label not in self.not_music]
        frames = np.concatenate(music).astype(np.float64)
        return Normalisation(tuple(frames.mean(axis=0).tolist()), tuple((frames.std(axis=0) + 1e-6).tolist()))


def digest(features: FloatArray) -> str:
    """The identity of what was decoded: equal audio has equal features."""
    return hashlib.sha256(np.ascontiguousarray(features).tobytes()).hexdigest()
