"""A model beside the yardsticks: the same clips, and clips that all of them could read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.accuracy.baselines import YARDSTICKS, Described, Yardstick
from benchmarks.accuracy.cross_validation import Folded
from benchmarks.accuracy.evaluation import Judged, Paired, Share, paired, with_groups
from edge.errors import EdgeError
from train.corpus import Clip

MODEL, RECIPE = "model", "recipe"
Table = dict[str, dict[str, Share]]  # who → accuracy on all clips, and by source


@dataclass(frozen=True)
class FoldTable:
    """A recipe and the yardsticks in the same cross-validation, and what the recipe has ahead of each of them."""

    accuracy: Table
    ahead: dict[str, Paired]


def describe(clips: Iterable[Clip]) -> dict[str, Described]:
    """The features of clips for each yardstick, by its name."""
    once = list({clip.name: clip for clip in clips}.values())
    return {yardstick.name: yardstick.described(once) for yardstick in YARDSTICKS}


def known_to_all(clip: Clip, described: Mapping[str, Described]) -> bool:
    """Whether each yardstick has features of a clip."""
    return all(clip.name in features for features in described.values())


def compare(
    judged: Sequence[Judged],
    learned: Sequence[Clip],
    heard: Mapping[str, Described],
    asked: Mapping[str, Described],
) -> Table:
    """The model's answers beside those of yardsticks that learned other clips.

    `heard` has the features of what they learn, `asked` those of the clips that the model answered. Raise EdgeError
    where nothing can be compared.
    """
    known = [j for j in judged if known_to_all(j.clip, asked)]
    if not known:
        raise EdgeError("the yardsticks could read none of the clips that are judged")
    table = {MODEL: with_groups([(j.source, j.right) for j in known])}
    for yardstick in YARDSTICKS:
        features = {j.clip.name: asked[yardstick.name][j.clip.name] for j in known}
        said = yardstick.answers(learned, heard[yardstick.name], features)
        table[yardstick.name] = with_groups([(j.source, said[j.clip.name] == j.clip.label) for j in known])
    return table


def compare_across(folds: Sequence[Folded], described: Mapping[str, Described]) -> FoldTable:
    """A recipe's answers about clips of a fold it never heard beside those of yardsticks that never heard it either.

    Raise EdgeError where nothing is left to learn from.
    """
    known = [f for f in folds if known_to_all(f.clip, described)]
    recipe = [f.said == f.clip.label for f in known]
    sources = [f.source for f in known]
    table = {RECIPE: with_groups(list(zip(sources, recipe, strict=True)))}
    ahead = {}
    for yardstick in YARDSTICKS:
        said = across(yardstick, known, described[yardstick.name])
        right = [said[f.clip.name] == f.clip.label for f in known]
        table[yardstick.name] = with_groups(list(zip(sources, right, strict=True)))
        ahead[yardstick.name] = paired(right, recipe)
    return FoldTable(table, ahead)


def across(yardstick: Yardstick, folds: Sequence[Folded], described: Described) -> dict[str, str]:
    """The label of each clip by a yardstick that learned all folds but the clip's own."""
    said: dict[str, str] = {}
    for fold in {f.fold for f in folds}:
        asked = {f.clip.name: described[f.clip.name] for f in folds if f.fold == fold}
        said |= yardstick.answers([f.clip for f in folds if f.fold != fold], described, asked)
    return said
