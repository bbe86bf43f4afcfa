from pathlib import Path

import pytest

from benchmarks.accuracy.cross_validation import Folded, read_folds
from edge.errors import EdgeError
from train.corpus import Clip
from train.run import FOLDS

JAZZ, METAL = (Clip(Path(label, "a.wav"), f"{label}/a.wav", label) for label in ("jazz", "metal"))
HEAD = "clip,label,source,fold,said"
ROWS = (HEAD, "jazz/a.wav,jazz,audio,0,jazz", "metal/a.wav,metal,,1,other", "other/rain.wav,other,,1,jazz")


def read(folder: Path, *rows: str) -> list[Folded]:
    (folder / FOLDS).write_text("\n".join(rows))
    return read_folds(folder, [JAZZ, METAL])


def test_folds_are_of_music(tmp_path: Path) -> None:
    assert read(tmp_path, *ROWS) == [Folded(JAZZ, "audio", 0, "jazz"), Folded(METAL, "", 1, "other")]


def test_a_folder_without_folds_is_named(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match=r"holds no folds\.csv; --run takes a run folder of train\.fit --split folds"):
        read_folds(tmp_path, [JAZZ, METAL])


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (("clip,label", "jazz/a.wav,jazz"), "lacks the columns source, fold, said"),
        ((*ROWS, "pop/a.wav,pop,,1,pop"), "another corpus: no clip pop/a.wav of pop"),
        ((*ROWS, "metal/a.wav,pop,,1,pop"), "another corpus: no clip metal/a.wav of pop"),
        ((HEAD, "jazz/a.wav,jazz,,first,jazz"), 'the fold of jazz/a.wav is "first"'),
        ((HEAD, "jazz/a.wav,jazz"), 'the fold of jazz/a.wav is "None"'),
        (ROWS[:2], "fewer than two folds"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path: Path, rows: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(EdgeError, match=sentence):
        read(tmp_path, *rows)
