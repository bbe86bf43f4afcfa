"""From a corpus on disk to a `Dataset`: find, extract, split, and say what was left out."""

import sys
from dataclasses import replace
from pathlib import Path

from edge.errors import EdgeError
from edge.frontend import FloatArray
from train.augment import variants as copies
from train.augment.vocoder import RECONSTRUCTED
from train.corpus import lists, splits
from train.corpus.clips import OTHER, Clip, find_clips
from train.corpus.dataset import Dataset, Part, digest
from train.corpus.features import extract
from train.recipes import Recipe

NOTES = {
    "segments": "LEAKY: segments of the same tracks are in training, so this is no accuracy on new music",
    "tracks": "no track is on two sides of the split; artists may be",
    "lists": "the sides are as the corpus lists them",
    "folds": "each clip is judged by a network that never heard its artist, as far as the lists name artists; the "
    "network that is kept has heard them all",
}
TWIN = "the same audio is on a side that is judged by"
Read = tuple[Clip, FloatArray]  # a clip and its features, (parts, frames, n_mfcc)


def prepare(data: Path, other: Path | None, recipe: Recipe, split: str, seed: int, cache: Path) -> Dataset:
    """Make a corpus ready for a recipe; what is skipped is named on standard error. Raise EdgeError."""
    clips = find_clips(data, other)
    labels = tuple(dict.fromkeys(clip.label for clip in clips))
    not_music = (OTHER,) if other is not None else ()
    matched = _match(clips, data, split)
    listed = {name for name, side in matched.sides.items() if split != "folds" or side != "test"}
    wanted = [c for c in clips if not listed or c.name in listed or c.label in not_music]
    read, skipped = _read(wanted, recipe, cache)
    skipped |= dict.fromkeys(matched.missing, "listed, but not there")
    _name(skipped)
    if left_out := len(clips) - len(wanted):
        print(f"left out {left_out} clips that are on no list that is used", file=sys.stderr)
    _refuse_empty(labels, [clip.label for clip, _ in read], "has no clip that can be used")

    reconstructed = {name for name, source in matched.sources.items() if source == RECONSTRUCTED}
    if split == "segments" and recipe.stream is not None:
        read = [(clip, _segments(features, recipe)) for clip, features in read]
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
    if split != "folds" and not any(part.clip.label not in not_music for part in placed["valid"]):
        raise EdgeError("no clip on the validation side can be used")
    held_back = "test" if placed["test"] else "valid"
    vocoded: dict[str, list[Part]] = {}
    other_copies: list[Part] = []
    if recipe.stream is not None and split != "segments":
        other_copies = _copies(placed["train"], not_music, recipe, cache)
        if reconstructed:
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
        artists=matched.artists,
        vocoded=vocoded,
        copies=other_copies,
        folds=_folds(read, matched.artists, seed) if split == "folds" else {},
    )


def _match(clips: list[Clip], data: Path, split: str) -> lists.Matched:
    """What the lists say, where the split takes them; folds go without, too: each track is its own artist then."""
    if split == "lists":
        return lists.match(clips, data)
    if split == "folds" and lists.there_are(data):
        return lists.match(clips, data, needed=())
    return lists.Matched({}, {}, {}, [])


def _segments(features: FloatArray, recipe: Recipe) -> FloatArray:
    """Whole segments of a whole clip's features: (1, frames, n_mels) → (segments, segment_frames, n_mels)."""
    length = recipe.segment_frames
    count = features.shape[1] // length
    return features[0, : count * length].reshape(count, length, features.shape[2])


def _folds(read: list[Read], artists: dict[str, str], seed: int) -> dict[str, int]:
    """Clip name → fold."""
    clips = [clip for clip, _ in read]
    groups = [artists.get(clip.name, clip.name) for clip in clips]
    folds = splits.split_folds([clip.label for clip in clips], groups, [digest(f) for _, f in read], seed)
    return dict(zip((clip.name for clip in clips), folds, strict=True))


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


def _copies(parts: list[Part], not_music: tuple[str, ...], recipe: Recipe, cache: Path) -> list[Part]:
    """The training clips again: music at other speeds, and all of them in rooms."""
    music = [part for part in parts if part.clip.label not in not_music]
    at_speeds = [part for kind in copies.SPEEDS for part in _copied(music, kind, recipe, cache)]
    return at_speeds + [part for kind in copies.ROOMS for part in _copied(parts, kind, recipe, cache)]


def _vocoded(parts: list[Part], not_music: tuple[str, ...], recipe: Recipe, cache: Path) -> list[Part]:
    """Copies of whole clips as the vocoder makes them.

    Reconstructions are such already; what is not music is heard less well for it, and no device hears it so.
    """
    recorded = [part for part in parts if not part.reconstructed and part.clip.label not in not_music]
    return [replace(part, reconstructed=True) for part in _copied(recorded, copies.VOCODED, recipe, cache)]


def _copied(parts: list[Part], kind: str, recipe: Recipe, cache: Path) -> list[Part]:
    found = extract([part.clip.path for part in parts], recipe, cache, kind)
    return [
        replace(part, features=features[0], kind=kind)
        for part, features in zip(parts, found, strict=True)
        if not isinstance(features, str)  # gone since it was first read
    ]


def _sides_of_parts(read: list[Read], split: str, seed: int, listed: dict[str, str]) -> list[str]:
    """The side of each part of each clip; NOWHERE where a twin of the clip is on a side that is judged by."""
    if split == "segments":
        return splits.split_segments(sum(len(features) for _, features in read), seed)
    if split == "folds":
        return ["train"] * len(read)
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
