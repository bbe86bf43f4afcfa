from pathlib import Path

import pytest

from edge.errors import EdgeError, UsageError
from train.corpus.clips import find_clips


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_every_sub_folder_is_a_class(tmp_path: Path) -> None:
    touch(tmp_path, "jazz/a.wav", "blues/b.ogg", "blues/artist/c.mp3")
    assert [(c.label, c.name) for c in find_clips(tmp_path)] == [
        ("blues", "blues/artist/c.mp3"),
        ("blues", "blues/b.ogg"),
        ("jazz", "jazz/a.wav"),
    ]


def test_the_classes_may_be_below_genres_original(tmp_path: Path) -> None:
    touch(tmp_path, "genres_original/jazz/a.wav", "genres_original/blues/b.wav", "images/plot.wav")
    assert {c.label for c in find_clips(tmp_path)} == {"blues", "jazz"}


def test_hidden_files_and_tables_are_not_clips(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.wav", "a/.x.wav", "a/notes.TXT", ".git/y.wav", "b/y.wav", "b/features.csv")
    assert [c.name for c in find_clips(tmp_path)] == ["a/x.wav", "b/y.wav"]


def test_other_adds_one_class_of_all_files_below_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "data/a/x.wav", "other/rain/1.wav", "other/speech/de/2.wav")
    clips = find_clips(tmp_path / "data", tmp_path / "other")
    assert [c.name for c in clips if c.label == "other"] == ["other/rain/1.wav", "other/speech/de/2.wav"]


def test_an_empty_class_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.wav", "b/readme.txt")
    with pytest.raises(EdgeError, match="class b is empty"):
        find_clips(tmp_path)


def test_a_corpus_of_one_class_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.wav")
    with pytest.raises(EdgeError, match="at least two"):
        find_clips(tmp_path)


def test_two_classes_of_the_name_other_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "data/a/x.wav", "data/other/y.wav", "noise/z.wav")
    with pytest.raises(UsageError, match="already"):
        find_clips(tmp_path / "data", tmp_path / "noise")


def test_a_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        find_clips(tmp_path / "nowhere")
