"""From a corpus on disk to a `Dataset`: find, extract, split, and say what was left out."""

import sys
from dataclasses import replace
from pathlib import Path

from edge.errors import EdgeError, UsageError
from edge.frontend import FloatArray
from train import lists, splits
from train.corpus import OTHER, Clip, find_clips
from train.dataset import Dataset, Part, digest
from train.features import extract
from train.recipes import Recipe
from train.vocoder import RECONSTRUCTED

NOTES = {
    "segments": "LEAKY: segments of the same tracks are in training, so this is no accuracy on new music",
    "tracks": "no track is on two sides of the split; artists may be",
    "lists": "the sides are as the corpus lists them",
}
TWIN = "the same audio is on a side that is judged by"
Read = tuple[Clip, FloatArray]  # a clip and its features, (parts, frames, n_mfcc)


def prepare(data: Path, other: Path | None, recipe: Recipe, split: str, seed: int, cache: Path) -> Dataset:
    """Make a corpus ready for a recipe; what is skipped is named on standard error. Raise EdgeError."""
    if split == "segments" and recipe.stream is not None:
        raise UsageError(f"--split segments cuts tracks apart; the recipe {recipe.name} takes tracks or lists")
    clips = find_clips(data, other)
    labels = tuple(dict.fromkeys(clip.label for clip in clips))
    not_music = (OTHER,) if other is not None else ()
    matched = lists.match(clips, data) if split == "lists" else lists.Matched({}, {}, [])
    wanted = [c for c in clips if split != "lists" or c.name in matched.sides or c.label in not_music]
    read, skipped = _read(wanted, recipe, cache)
    skipped |= dict.fromkeys(matched.missing, "listed, but not there")
    _name(skipped)
    if left_out := len(clips) - len(wanted):
        print(f"left out {left_out} clips that are on no list", file=sys.stderr)
    _refuse_empty(labels, [clip.label for clip, _ in read], "has no clip that can be used")

    reconstructed = {name for name, source in matched.sources.items() if source == RECONSTRUCTED}
    parts = [
        Part(part, clip, labels.index(clip.label), clip.name in reconstructed)
        for clip, features in read
        for part in features
    ]
    sides = _sides_of_parts(read, split, seed, matched.sides)
    twins = {p.clip.name: TWIN for p, side in zip(parts, sides, strict=True) if side == splits.NOWHERE}
    _name(twins)
    placed = {side: [p for p, own in zip(parts, sides, strict=True) if own == side] for side in lists.SIDES}
    _refuse_empty(labels, [part.clip.label for part in placed["train"]], "has no clip on the training side")
    if not any(part.clip.label not in not_music for part in placed["valid"]):
        raise EdgeError("no clip on the validation side can be used")
    held_back = "test" if placed["test"] else "valid"
    vocoded = {}
    if reconstructed and recipe.stream is not None:
        vocoded = {side: _vocoded(placed[side], not_music, recipe, cache) for side in ("train", held_back)}
    return Dataset(
        labels=labels,
        not_music=not_music,
        sides={side: found for side, found in placed.items() if found},
        held_back=held_back,
        leaky=split == "segments",
        note=NOTES[split],
        skipped=skipped | twins,
        unlisted=left_out,
        sources=matched.sources,
        vocoded=vocoded,
    )


def _read(clips: list[Clip], recipe: Recipe, cache: Path) -> tuple[list[Read], dict[str, str]]:
    """The clips that could be read, each with its features, and the reasons of the others by name."""
    read: list[Read] = []
    skipped: dict[str, str] = {}
    for clip, features in zip(clips, extract([c.path for c in clips], recipe, cache), strict=True):
        if isinstance(features, str):
            skipped[clip.name] = features
        else:
            read.append((clip, features))
    return read, skipped


def _vocoded(parts: list[Part], not_music: tuple[str, ...], recipe: Recipe, cache: Path) -> list[Part]:
    """Copies of whole clips as the vocoder makes them.

    Reconstructions are such already; what is not music is heard less well for it, and no device hears it so.
    """
    recorded = [part for part in parts if not part.reconstructed and part.clip.label not in not_music]
    found = extract([part.clip.path for part in recorded], recipe, cache, vocoded=True)
    return [
        replace(part, features=features[0], reconstructed=True)
        for part, features in zip(recorded, found, strict=True)
        if not isinstance(features, str)  # gone since it was first read
    ]


def _sides_of_parts(read: list[Read], split: str, seed: int, listed: dict[str, str]) -> list[str]:
    """The side of each part of each clip; NOWHERE where a twin of the clip is on a side that is judged by."""
    if split == "segments":
        return splits.split_segments(sum(len(features) for _, features in read), seed)
    digests = [digest(features) for _, features in read]
    if split == "tracks":
        by_clip = splits.split_tracks([clip.label for clip, _ in read], digests, seed)
    else:
        by_clip = [listed.get(clip.name) or splits.side_of_other(clip.name, seed) for clip, _ in read]
        by_clip = splits.part_twins(by_clip, digests)
    return [side for side, (_, features) in zip(by_clip, read, strict=True) for _ in features]


def _refuse_empty(labels: tuple[str, ...], present: list[str], what: str) -> None:
    for label in labels:
        if label not in present:
            raise EdgeError(f"the class {label} {what}")


def _name(skipped: dict[str, str]) -> None:
    for name, reason in skipped.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
