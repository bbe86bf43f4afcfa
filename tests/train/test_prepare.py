import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.errors import EdgeError, UsageError
from train.dataset import Dataset, digest
from train.prepare import prepare
from train.recipes import EDGE, SEED, Recipe

LISTS = {
    "train.txt": "".join(f"{label}/{label}.{i:05}.wav\n" for label in ("chirp", "hiss", "hum") for i in range(3)),
    "valid.txt": "".join(f"{label}/{label}.00003.wav\n" for label in ("chirp", "hiss", "hum")),
}


@pytest.fixture
def copy(corpus: Path, tmp_path: Path) -> Path:
    """A corpus to be changed."""
    return Path(shutil.copytree(corpus, tmp_path / "copy"))


def ready(data: Path, split: str, recipe: Recipe = EDGE, other: Path | None = None) -> Dataset:
    return prepare(data, other, recipe, split, 0, data.parent / "cache")


def names(dataset: Dataset, side: str) -> set[str]:
    return {part.clip.name for part in dataset.sides[side]}


def write_lists(data: Path, lists: dict[str, str]) -> None:
    for name, text in lists.items():
        (data / name).write_text(text)


def test_a_split_by_tracks_leaks_nothing(corpus: Path) -> None:
    dataset = ready(corpus, "tracks", SEED)
    assert not dataset.leaky
    assert dataset.held_back == "test"
    assert not names(dataset, "train") & (names(dataset, "test") | names(dataset, "valid"))


def test_a_split_by_segments_says_that_it_leaks(corpus: Path) -> None:
    dataset = ready(corpus, "segments", SEED)
    assert dataset.leaky
    assert "LEAKY" in dataset.note


def test_a_stream_recipe_does_not_take_segments(corpus: Path) -> None:
    with pytest.raises(UsageError, match="tracks or lists"):
        ready(corpus, "segments")


def test_twins_are_on_one_side_of_a_split_by_tracks(copy: Path) -> None:
    for number in range(5, 15):
        shutil.copy(copy / "hum" / "hum.00000.wav", copy / "hum" / f"hum.{number:05}.wav")
    dataset = ready(copy, "tracks")
    twins = {f"hum/hum.{number:05}.wav" for number in (0, *range(5, 15))}
    assert sum(bool(twins & names(dataset, side)) for side in dataset.sides) == 1


def test_lists_are_obeyed(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lists(copy, LISTS)
    dataset = ready(copy, "lists")
    assert names(dataset, "valid") == {f"{label}/{label}.00003.wav" for label in dataset.labels}
    assert len(names(dataset, "train")) == 9
    assert (dataset.unlisted, dataset.held_back) == (3, "valid")
    assert "left out 3 clips" in capsys.readouterr().err


def test_a_test_list_is_what_is_held_back(copy: Path) -> None:
    write_lists(copy, LISTS | {"test.txt": "hum/hum.00004.wav\n"})
    assert ready(copy, "lists").held_back == "test"


def test_a_listed_twin_leaves_the_training_side(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lists(copy, LISTS)
    shutil.copy(copy / "hum" / "hum.00003.wav", copy / "hum" / "hum.00000.wav")
    dataset = ready(copy, "lists")
    assert "hum/hum.00000.wav" not in names(dataset, "train")
    assert "skipped hum/hum.00000.wav: the same audio" in capsys.readouterr().err


def test_bad_files_are_named_and_skipped(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "hum" / "hum.00001.wav").write_text("no audio")
    soundfile.write(copy / "hiss" / "brief.wav", np.zeros(1000), 22_050)
    dataset = ready(copy, "tracks")
    assert set(dataset.skipped) == {"hum/hum.00001.wav", "hiss/brief.wav"}
    assert "skipped hum/hum.00001.wav: unreadable" in capsys.readouterr().err


def test_a_class_without_a_readable_clip_is_named(copy: Path) -> None:
    for path in (copy / "hum").iterdir():
        path.write_text("no audio")
    with pytest.raises(EdgeError, match="class hum has no clip that can be used"):
        ready(copy, "tracks")


def test_a_class_that_the_training_list_forgets_is_named(copy: Path) -> None:
    write_lists(copy, LISTS | {"train.txt": "hum/hum.00000.wav\nhiss/hiss.00000.wav"})
    with pytest.raises(EdgeError, match="class chirp has no clip on the training side"):
        ready(copy, "lists")


def test_other_is_a_class_that_is_no_music(copy: Path, tmp_path: Path) -> None:
    write_lists(copy, LISTS)
    (tmp_path / "noise").mkdir()
    rng = np.random.default_rng(0)
    for number in range(8):
        soundfile.write(tmp_path / "noise" / f"{number}.wav", rng.normal(0, 0.1, 70_000), 22_050)
    dataset = ready(copy, "lists", other=tmp_path / "noise")
    assert dataset.labels == ("chirp", "hiss", "hum", "other")
    assert dataset.not_music == ("other",)
    assert sum(counts["other"] for counts in dataset.clips_per_class().values()) == 8


def test_the_fingerprint_knows_a_changed_corpus(copy: Path) -> None:
    before = ready(copy, "tracks").fingerprint
    assert ready(copy, "tracks").fingerprint == before
    shutil.copy(copy / "hum" / "hum.00001.wav", copy / "hum" / "hum.00002.wav")
    assert ready(copy, "tracks").fingerprint != before


def test_equal_audio_has_an_equal_digest(corpus: Path) -> None:
    part = ready(corpus, "tracks").sides["train"][0]
    assert digest(part.features) == digest(part.features.copy())
    assert digest(part.features) != digest(part.features[1:])
