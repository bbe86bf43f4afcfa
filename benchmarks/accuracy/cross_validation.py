"""What the networks of a cross-validation said: `folds.csv` in a run folder of `train.fit --split folds`."""

import csv
from dataclasses import dataclass
from pathlib import Path

from edge.errors import EdgeError
from train.corpus import OTHER, Clip
from train.run import FOLDS

COLUMNS = ("clip", "label", "source", "fold", "said")


@dataclass(frozen=True)
class Folded:
    """A clip, its fold, and the label that a network gave it which never heard that fold."""

    clip: Clip
    source: str
    fold: int
    said: str


def read_folds(run: Path, clips: list[Clip]) -> list[Folded]:
    """The folds of a run over the music of a corpus. Raise EdgeError where they are none, or of another corpus."""
    path = run / FOLDS
    if not path.is_file():
        raise EdgeError(f"{run} holds no {FOLDS}; --run takes a run folder of train.fit --split folds")
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        table = csv.DictReader(file)
        if missing := [column for column in COLUMNS if column not in (table.fieldnames or ())]:
            raise EdgeError(f"{path} lacks the columns {', '.join(missing)}")
        rows = [row for row in table if row["label"] != OTHER]
    by_name = {clip.name: clip for clip in clips}
    for row in rows:
        if row["clip"] not in by_name or by_name[row["clip"]].label != row["label"]:
            raise EdgeError(f"{path} is about another corpus: no clip {row['clip']} of {row['label']} is in this one")
        if not (row["fold"] or "").isdecimal():
            raise EdgeError(f'{path}: the fold of {row["clip"]} is "{row["fold"]}", no number')
    if len({row["fold"] for row in rows}) < 2:
        raise EdgeError(f"{path} holds fewer than two folds of music")
    return [Folded(by_name[row["clip"]], row["source"], int(row["fold"]), row["said"]) for row in rows]
