"""The clips of a corpus that a model is evaluated on, and those that baselines learn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import EdgeError
from edge.model.card import Card
from train.corpus import lists
from train.corpus.clips import OTHER, Clip, find_clips
from train.corpus.splits import side_of_other

OTHER_SEED = 0  # the default seed of train.fit


@dataclass(frozen=True)
class Corpus:
    """Clips of music by side of the corpus' lists, and clips that are not music."""

    music: dict[str, list[Clip]]  # side → clips
    other: list[Clip]  # of the side that is evaluated
    sources: dict[str, str]  # clip name → origin of its audio


def listed_clips(data: Path, side: str) -> list[Clip]:
    """Clips of one side of a corpus' lists. Raise EdgeError if there are none."""
    clips = find_clips(data)
    sides = lists.match(clips, data).sides
    if chosen := [clip for clip in clips if sides.get(clip.name) == side]:
        return chosen
    raise EdgeError(f"{data}: no clip is listed as {side}")


def read_corpus(data: Path, other: Path | None, side: str) -> Corpus:
    """Find the clips of a corpus and of a folder of audio that is not music.

    Raises
    ------
    EdgeError
        If no clip is on the side.
    """
    clips = find_clips(data, other)
    matched = lists.match(clips, data)
    music: dict[str, list[Clip]] = {name: [] for name in lists.SIDES}
    for clip in clips:
        if clip.name in matched.sides:
            music[matched.sides[clip.name]].append(clip)
    if not music[side]:
        raise EdgeError(f"{data}: no clip is listed as {side}")
    others = [c for c in clips if other and c.label == OTHER and side_of_other(c.name, OTHER_SEED) == side]
    if other and not others:
        raise EdgeError(f"{other}: no clip falls on the {side} side, which a hash of its name decides")
    return Corpus(music, others, matched.sources)


def check_labels(clips: Sequence[Clip], card: Card) -> None:
    """Raise EdgeError if the model doesn't know the label of a clip."""
    if unknown := sorted({clip.label for clip in clips} - set(card.labels)):
        raise EdgeError(f"the model has no label {', '.join(unknown)}; it knows {', '.join(card.labels)}")
