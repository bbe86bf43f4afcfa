"""Predictions of a cross-validation: `folds.csv` in a run folder of `train.fit --split folds`."""

import csv
from dataclasses import dataclass
from pathlib import Path

from edge.errors import EdgeError
from train.corpus.clips import OTHER, Clip
from train.run.folder import FOLDS

COLUMNS = ("clip", "label", "source", "fold", "said")


@dataclass(frozen=True)
class FoldPrediction:
    """A clip, its fold, and the label predicted by a network that was not trained on that fold."""

    clip: Clip
    source: str
    fold: int
    predicted: str


def read_folds(run: Path, clips: list[Clip]) -> list[FoldPrediction]:
    """Read the predictions of a run about the music of a corpus.

    Raises
    ------
    EdgeError
        If there are none, or if they are about another corpus.
    """
    path = run / FOLDS
    if not path.is_file():
        raise EdgeError(f"{run}: no {FOLDS} in it; --run expects a run folder of train.fit --split folds")
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        table = csv.DictReader(file)
        if missing := [column for column in COLUMNS if column not in (table.fieldnames or ())]:
            raise EdgeError(f"{path}: missing columns {', '.join(missing)}")
        rows = [row for row in table if row["label"] != OTHER]
    by_name = {clip.name: clip for clip in clips}
    for row in rows:
        if row["clip"] not in by_name or by_name[row["clip"]].label != row["label"]:
            raise EdgeError(f"{path} is about another corpus: this one has no clip {row['clip']} of {row['label']}")
        if not (row["fold"] or "").isdecimal():
            raise EdgeError(f'{path}: invalid fold "{row["fold"]}" of {row["clip"]}; expected a number')
    if len({row["fold"] for row in rows}) < 2:
        raise EdgeError(f"{path}: fewer than two folds of music")
    return [FoldPrediction(by_name[row["clip"]], row["source"], int(row["fold"]), row["said"]) for row in rows]
