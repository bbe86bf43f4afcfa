from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.errors import EdgeError

if TYPE_CHECKING:
    from benchmarks.accuracy.cross_validation import FoldPrediction

pytestmark = pytest.mark.workstation

LABELS = ("jazz", "metal")
HEAD = "clip,label,source,fold,said"
ROWS = (HEAD, "jazz/a.wav,jazz,audio,0,jazz", "metal/a.wav,metal,,1,other", "other/rain.wav,other,,1,jazz")


def read(folder: Path, *rows: str) -> "list[FoldPrediction]":
    """Predictions in a table of these rows about one clip of each label; without rows there is no table."""
    from benchmarks.accuracy.cross_validation import read_folds
    from train.corpus.clips import Clip
    from train.run.folder import FOLDS

    if rows:
        (folder / FOLDS).write_text("\n".join(rows))
    return read_folds(folder, [Clip(Path(label, "a.wav"), f"{label}/a.wav", label) for label in LABELS])


def test_predictions_are_about_music(tmp_path: Path) -> None:
    found = [(p.clip.name, p.source, p.fold, p.predicted) for p in read(tmp_path, *ROWS)]
    assert found == [("jazz/a.wav", "audio", 0, "jazz"), ("metal/a.wav", "", 1, "other")]


def test_a_folder_without_folds_is_named(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match=r"no folds\.csv in it; --run expects a run folder of train\.fit --split folds"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (("clip,label", "jazz/a.wav,jazz"), "missing columns source, fold, said"),
        ((*ROWS, "pop/a.wav,pop,,1,pop"), "another corpus: this one has no clip pop/a.wav of pop"),
        ((*ROWS, "metal/a.wav,pop,,1,pop"), "another corpus: this one has no clip metal/a.wav of pop"),
        ((HEAD, "jazz/a.wav,jazz,,first,jazz"), 'invalid fold "first" of jazz/a.wav'),
        ((HEAD, "jazz/a.wav,jazz"), 'invalid fold "None" of jazz/a.wav'),
        (ROWS[:2], "fewer than two folds"),
    ],
)
def test_an_invalid_table_is_refused_with_the_reason(tmp_path: Path, rows: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(EdgeError, match=sentence):
        read(tmp_path, *rows)
