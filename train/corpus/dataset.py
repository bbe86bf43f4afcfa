"""A corpus with its features, by sides of the split."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from edge.arrays import FloatArray
from edge.model.card import Normalisation
from train.corpus.clips import Clip
from train.corpus.features import mfccs
from train.recipes import Recipe


@dataclass(frozen=True)
class Example:
    """One training example: a segment of a window recipe, or the whole clip of a stream recipe."""

    features: FloatArray  # from compute_features: (frames, n_mfcc), or (frames, n_mels) of a stream recipe
    clip: Clip
    label: int
    reconstructed: bool = False  # the clip, or this variant of it, was made by a vocoder
    variant: str | None = None  # kind of variant (train.augment.variants); None for the clip itself


@dataclass(frozen=True)
class Dataset:
    """Examples of a corpus by side, and the files that were left out."""

    labels: tuple[str, ...]
    not_music: tuple[str, ...]
    sides: dict[str, list[Example]]
    held_back: str  # the side that metrics report
    leaky: bool
    note: str  # a sentence about the split
    skipped: dict[str, str]  # file → reason
    unlisted: int
    sources: dict[str, str]  # clip name → origin of its audio, as far as the lists name it
    artists: dict[str, str]  # clip name → artist, as far as the lists name it
    vocoded: dict[str, list[Example]]  # side → vocoded variants of its recorded music; empty without reconstructions
    variants: list[Example]  # of the training side, at other speeds and in rooms; empty for windows and segments
    folds: dict[str, int]  # clip name → fold, if the split is folds; all clips are on the training side then

    def without_fold(self, number: int) -> "Dataset":
        """The same corpus with the clips of one fold on the validation side, which is held back."""

        def divided(examples: list[Example]) -> dict[str, list[Example]]:
            held_back = [e for e in examples if self.folds[e.clip.name] == number]
            return {"train": [e for e in examples if self.folds[e.clip.name] != number], "valid": held_back}

        vocoded = divided(self.vocoded["train"]) if self.vocoded else {}
        sides, variants = divided(self.sides["train"]), divided(self.variants)["train"]
        return replace(self, sides=sides, held_back="valid", vocoded=vocoded, variants=variants, folds={})

    @property
    def fingerprint(self) -> str:
        """SHA-256 over sides, folds, names and features: equal fingerprints give equal trainings.

        Vocoded variants follow from these and are left out: Griffin-Lim amplifies rounding errors, so that they differ
        in their last bits between machines.
        """
        total = hashlib.sha256()
        for side in sorted(self.sides):
            for example in self.sides[side]:
                place = f"{side}{self.folds.get(example.clip.name, '')}"
                total.update(f"{place}\0{example.clip.name}\0{digest(example.features)}\n".encode())
        return total.hexdigest()

    def clips_per_class(self) -> dict[str, dict[str, int]]:
        """Side → label → number of clips with an example on that side."""
        counts = {}
        for side, examples in self.sides.items():
            names = Counter(label for label, _ in {(e.clip.label, e.clip.name) for e in examples})
            counts[side] = {label: names[label] for label in self.labels}
        return counts

    @property
    def mostly_reconstructed(self) -> tuple[str, ...]:
        """The classes with more reconstructions than recordings on the training side."""
        train = self.sides["train"]
        marked = Counter(example.clip.label for example in train if example.reconstructed)
        total = Counter(example.clip.label for example in train)
        return tuple(label for label in self.labels if 2 * marked[label] > total[label])

    def normalisation(self, recipe: Recipe) -> Normalisation:
        """Mean and standard deviation of each coefficient over the music of the training side."""
        music = [mfccs(e.features, recipe) for e in self.sides["train"] if e.clip.label not in self.not_music]
        frames = np.concatenate(music).astype(np.float64)
        return Normalisation(tuple(frames.mean(axis=0).tolist()), tuple((frames.std(axis=0) + 1e-6).tolist()))


def digest(features: FloatArray) -> str:
    """SHA-256 of features; files of equal audio have equal digests."""
    return hashlib.sha256(np.ascontiguousarray(features).tobytes()).hexdigest()
