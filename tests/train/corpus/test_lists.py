from pathlib import Path

import pytest

from edge.errors import EdgeError
from train.corpus.clips import Clip
from train.corpus.lists import has_lists, match

CLIPS = [Clip(Path(name), name, name.split("/")[0]) for name in ("a/1.ogg", "a/2.ogg", "b/1.ogg", "b/2.ogg")]


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def test_a_table_fixes_sides_and_sources(tmp_path: Path) -> None:
    write(tmp_path, tracks_csv="track,genre,split,source\n1,a,train,audio\n2,a,valid,\n1,b,train,\n2,b,test,audio\n")
    matched = match(CLIPS, tmp_path)
    assert matched.sides == {"a/1.ogg": "train", "a/2.ogg": "valid", "b/1.ogg": "train", "b/2.ogg": "test"}
    assert matched.sources == {"a/1.ogg": "audio", "b/2.ogg": "audio"}


def test_a_table_may_name_artists(tmp_path: Path) -> None:
    write(tmp_path, tracks_csv="track,genre,split,artist\n1,a,train,Ann\n2,a,valid,\n1,b,train,Bo\n2,b,valid,Ann\n")
    assert match(CLIPS, tmp_path).artists == {"a/1.ogg": "Ann", "b/1.ogg": "Bo", "b/2.ogg": "Ann"}


@pytest.mark.parametrize(
    ("name", "expected"), [("tracks.csv", True), ("train_filtered.txt", True), ("notes.txt", False)]
)
def test_files_that_count_as_lists(tmp_path: Path, name: str, expected: bool) -> None:
    (tmp_path / name).touch()
    assert has_lists(tmp_path) is expected


def test_the_label_column_may_be_called_label(tmp_path: Path) -> None:
    write(tmp_path, tracks_csv="track,label,split\n1,a,train\n2,b,valid\n")
    assert match(CLIPS, tmp_path).sides == {"a/1.ogg": "train", "b/2.ogg": "valid"}


def test_text_lists_match_by_class_and_stem_whatever_the_suffix(tmp_path: Path) -> None:
    write(tmp_path, train_txt="a/1.wav\n\nb/1.au\n", valid_filtered_txt="genres/a/2.wav\n")
    (tmp_path / "valid.filtered.txt").rename(tmp_path / "valid_filtered.txt")
    assert match(CLIPS, tmp_path).sides == {"a/1.ogg": "train", "b/1.ogg": "train", "a/2.ogg": "valid"}


def test_a_listed_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    write(tmp_path, train_txt="a/1.wav\nb/7.wav\n", valid_txt="a/2.wav\n")
    assert match(CLIPS, tmp_path).missing == ["7 (train.txt line 2)"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"train_txt": "a/1.wav\npolka/2.wav\n", "valid_txt": "b/1.wav"},
            'train.txt line 2: "polka/2.wav" names no class',
        ),
        ({"tracks_csv": "track,genre,split\n1,a,train\n2,polka,valid\n"}, 'tracks.csv line 3: no class "polka"'),
        ({"tracks_csv": "track,genre,split\n1,a,tarin\n"}, 'line 2: the split is "tarin"'),
        ({"tracks_csv": "name,genre\n1,a\n"}, "needs the columns track"),
        ({"train_txt": "a/1.wav", "valid_txt": "a/1.wav"}, "1 is listed as valid and as train"),
        ({"train_txt": "a/1.wav", "valid_txt": ""}, "put no clip on the valid side"),
        ({}, "contains no lists"),
    ],
)
def test_an_error_names_the_fault_of_a_list(tmp_path: Path, texts: dict[str, str], message: str) -> None:
    with pytest.raises(EdgeError, match=message):
        match(CLIPS, write(tmp_path, **texts))
