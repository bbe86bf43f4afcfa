"""Preparation of a corpus: find clips, extract features, split, and report what is left out."""

import sys
from dataclasses import replace
from pathlib import Path

from edge.arrays import FloatArray
from edge.errors import EdgeError
from train.augment.variants import ROOMS, SPEEDS, VOCODED
from train.augment.vocoder import RECONSTRUCTED
from train.corpus import lists, splits
from train.corpus.clips import OTHER, Clip, find_clips
from train.corpus.dataset import Dataset, Example, digest
from train.corpus.features import extract_features
from train.corpus.split_kinds import SPLITS
from train.recipes import Recipe

DUPLICATE = "the same audio is on a side that is judged by"
ClipFeatures = tuple[Clip, FloatArray]  # a clip and its features, (examples, frames, n_mfcc or n_mels)


def prepare(data: Path, other: Path | None, recipe: Recipe, split: str, seed: int, cache: Path) -> Dataset:
    """Prepare a corpus for a recipe. Skipped files are named on standard error.

    Parameters
    ----------
    data, other
        Folders of the corpus and of audio that is not music, as for `find_clips`.
    recipe
        Decides the features.
    split
        One of `split_kinds.SPLITS`.
    seed
        Seed of random splits.
    cache
        Folder of the feature cache.

    Raises
    ------
    UsageError
        If a folder does not exist.
    EdgeError
        If lists are wrong, or a class or the validation side has no usable clip.
    """
    clips = find_clips(data, other)
    labels = tuple(dict.fromkeys(clip.label for clip in clips))
    not_music = (OTHER,) if other is not None else ()
    listed = _listed_clips(clips, data, split)
    names = {name for name, side in listed.sides.items() if split != "folds" or side != "test"}
    used = [c for c in clips if not names or c.name in names or c.label in not_music]
    extracted, skipped = _extract(used, recipe, cache)
    skipped |= dict.fromkeys(listed.missing, "listed, but not there")
    _report(skipped)
    if unlisted := len(clips) - len(used):
        print(f"left out {unlisted} clips that are on no list in use", file=sys.stderr)
    _check_every_class(labels, [clip.label for clip, _ in extracted], "has no usable clip")

    reconstructed = {name for name, source in listed.sources.items() if source == RECONSTRUCTED}
    if split == "segments" and recipe.stream is not None:
        extracted = [(clip, _segments(features, recipe)) for clip, features in extracted]
    examples = [
        Example(array, clip, labels.index(clip.label), clip.name in reconstructed)
        for clip, features in extracted
        for array in features
    ]
    sides = _sides(extracted, split, seed, listed.sides)
    duplicates = {e.clip.name: DUPLICATE for e, side in zip(examples, sides, strict=True) if side == splits.EXCLUDED}
    _report(duplicates)
    by_side = {side: [e for e, own in zip(examples, sides, strict=True) if own == side] for side in lists.SIDES}
    _check_every_class(labels, [e.clip.label for e in by_side["train"]], "has no clip on the training side")
    if split != "folds" and not any(e.clip.label not in not_music for e in by_side["valid"]):
        raise EdgeError("no clip on the validation side is usable")
    held_back = "test" if by_side["test"] else "valid"
    vocoded: dict[str, list[Example]] = {}
    variants: list[Example] = []
    if recipe.stream is not None and split != "segments":
        variants = _variants(by_side["train"], not_music, recipe, cache)
        if reconstructed:
            vocoded = {side: _vocoded(by_side[side], not_music, recipe, cache) for side in ("train", held_back)}
    return Dataset(
        labels=labels,
        not_music=not_music,
        sides={side: found for side, found in by_side.items() if found},
        held_back=held_back,
        leaky=split == "segments",
        note=SPLITS[split],
        skipped=skipped | duplicates,
        unlisted=unlisted,
        sources=listed.sources,
        artists=listed.artists,
        vocoded=vocoded,
        variants=variants,
        folds=_folds(extracted, listed.artists, seed) if split == "folds" else {},
    )


def _listed_clips(clips: list[Clip], data: Path, split: str) -> lists.ListedClips:
    """The lists if the split uses them. Folds work without lists; then each track counts as an artist."""
    if split == "lists":
        return lists.match(clips, data)
    if split == "folds" and lists.has_lists(data):
        return lists.match(clips, data, needed=())
    return lists.ListedClips({}, {}, {}, [])


def _extract(clips: list[Clip], recipe: Recipe, cache: Path) -> tuple[list[ClipFeatures], dict[str, str]]:
    """The usable clips with their features, and the reasons for the others by name."""
    extracted: list[ClipFeatures] = []
    skipped: dict[str, str] = {}
    for clip, features in zip(clips, extract_features([c.path for c in clips], recipe, cache), strict=True):
        if isinstance(features, str):
            skipped[clip.name] = features
        else:
            extracted.append((clip, features))
    return extracted, skipped


def _segments(features: FloatArray, recipe: Recipe) -> FloatArray:
    """Whole segments of the features of a clip: (1, frames, n_mels) → (segments, segment_frames, n_mels)."""
    length = recipe.segment_frames
    count = features.shape[1] // length
    return features[0, : count * length].reshape(count, length, features.shape[2])


def _folds(extracted: list[ClipFeatures], artists: dict[str, str], seed: int) -> dict[str, int]:
    """Clip name → fold."""
    clips = [clip for clip, _ in extracted]
    groups = [artists.get(clip.name, clip.name) for clip in clips]
    folds = splits.split_folds([clip.label for clip in clips], groups, [digest(f) for _, f in extracted], seed)
    return dict(zip((clip.name for clip in clips), folds, strict=True))


def _sides(extracted: list[ClipFeatures], split: str, seed: int, listed: dict[str, str]) -> list[str]:
    """Side of each example of each clip; EXCLUDED if a duplicate of the clip is on a side that is judged by."""
    if split == "segments":
        return splits.split_segments(sum(len(features) for _, features in extracted), seed)
    if split == "folds":
        return ["train"] * len(extracted)
    digests = [digest(features) for _, features in extracted]
    if split == "tracks":
        by_clip = splits.split_tracks([clip.label for clip, _ in extracted], digests, seed)
    else:
        by_clip = [listed.get(clip.name) or splits.side_of_other(clip.name, seed) for clip, _ in extracted]
        by_clip = splits.exclude_duplicates(by_clip, digests)
    return [side for side, (_, features) in zip(by_clip, extracted, strict=True) for _ in features]


def _variants(examples: list[Example], not_music: tuple[str, ...], recipe: Recipe, cache: Path) -> list[Example]:
    """Variants of the training clips: music at other speeds, and every clip in rooms."""
    music = [example for example in examples if example.clip.label not in not_music]
    at_speeds = [example for kind in SPEEDS for example in _variant(music, kind, recipe, cache)]
    return at_speeds + [example for kind in ROOMS for example in _variant(examples, kind, recipe, cache)]


def _vocoded(examples: list[Example], not_music: tuple[str, ...], recipe: Recipe, cache: Path) -> list[Example]:
    """Vocoded variants of whole clips.

    Reconstructions are vocoded already. Vocoded copies of what is not music make its class less accurate, and no device
    ever records such sounds.
    """
    recorded = [e for e in examples if not e.reconstructed and e.clip.label not in not_music]
    return [replace(example, reconstructed=True) for example in _variant(recorded, VOCODED, recipe, cache)]


def _variant(examples: list[Example], kind: str, recipe: Recipe, cache: Path) -> list[Example]:
    extracted = extract_features([example.clip.path for example in examples], recipe, cache, kind)
    return [
        replace(example, features=features[0], variant=kind)
        for example, features in zip(examples, extracted, strict=True)
        if not isinstance(features, str)  # the file was deleted after the first read
    ]


def _check_every_class(labels: tuple[str, ...], present: list[str], problem: str) -> None:
    for label in labels:
        if label not in present:
            raise EdgeError(f"the class {label} {problem}")


def _report(skipped: dict[str, str]) -> None:
    for name, reason in skipped.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
