import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.errors import EdgeError
from train.augment.variants import ROOMS, SPEEDS
from train.corpus.cache import default_folder
from train.corpus.dataset import Dataset, digest
from train.corpus.prepare import prepare
from train.corpus.splits import FOLDS
from train.recipes import EDGE, SEED, Recipe

pytestmark = pytest.mark.workstation

LISTS = {
    "train.txt": "".join(f"{label}/{label}.{i:05}.wav\n" for label in ("chirp", "hiss", "hum") for i in range(3)),
    "valid.txt": "".join(f"{label}/{label}.00003.wav\n" for label in ("chirp", "hiss", "hum")),
}


@pytest.fixture
def copy(corpus: Path, tmp_path: Path) -> Path:
    """A corpus to be changed."""
    return Path(shutil.copytree(corpus, tmp_path / "copy"))


def ready(data: Path, split: str, recipe: Recipe = EDGE, other: Path | None = None) -> Dataset:
    return prepare(data, other, recipe, split, 0, default_folder())  # what is the same in two corpora is there once


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


def test_a_split_by_segments_is_marked_as_leaky(corpus: Path) -> None:
    dataset = ready(corpus, "segments", SEED)
    assert dataset.leaky
    assert "LEAKY" in dataset.note


def test_segments_of_a_stream_recipe_are_whole_blocks_of_their_clip(corpus: Path) -> None:
    dataset = ready(corpus, "segments")
    assert dataset.leaky
    parts = [part for side in dataset.sides.values() for part in side]
    assert len(parts) == 2 * 15  # 6.5 s
    assert {part.features.shape for part in parts} == {(EDGE.segment_frames, EDGE.front_end.n_mels)}
    whole = {part.clip.name: part.features for side in ready(corpus, "tracks").sides.values() for part in side}
    for found in parts:
        starts = (0, EDGE.segment_frames)
        assert any(np.array_equal(found.features, whole[found.clip.name][s:][: EDGE.segment_frames]) for s in starts)


def write_table(data: Path, artists: int, test: tuple[int, ...] = ()) -> None:
    """A list of the corpus in which each class has clips of so many artists, the first clip valid."""
    rows = ["track,genre,split,artist"]
    for label in ("chirp", "hiss", "hum"):
        for path in sorted((data / label).iterdir()):
            number = int(path.stem.split(".")[1])
            side = "test" if number in test else "train" if number else "valid"
            rows.append(f"{path.stem},{label},{side},{label} {number % artists}")
    (data / "tracks.csv").write_text("\n".join(rows))


@pytest.fixture
def twice(copy: Path) -> Path:
    """A corpus of ten clips a class, two by each of five artists."""
    for path in [path for folder in copy.iterdir() for path in folder.iterdir()]:
        samples, rate = soundfile.read(path)
        label, number = path.stem.split(".")
        soundfile.write(path.with_name(f"{label}.{int(number) + 5:05}.wav"), 0.5 * samples, rate)
    write_table(copy, 5)
    return copy


def test_folds_keep_an_artist_together_and_learn_from_all(twice: Path) -> None:
    dataset = ready(twice, "folds")
    assert not dataset.leaky
    assert dataset.sides.keys() == {"train"}
    assert len(names(dataset, "train")) == len(dataset.folds) == 30
    assert dataset.artists["hum/hum.00007.wav"] == "hum 2"
    for artist in set(dataset.artists.values()):
        assert len({dataset.folds[name] for name, own in dataset.artists.items() if own == artist}) == 1
    found = {(fold, name.split("/")[0]) for name, fold in dataset.folds.items()}
    assert found == {(fold, label) for fold in range(FOLDS) for label in dataset.labels}


def test_the_training_side_without_a_fold_is_the_rest(twice: Path) -> None:
    dataset = ready(twice, "folds")
    held_back = []
    for number in range(FOLDS):
        part = dataset.without_fold(number)
        assert part.held_back == "valid"
        assert not part.folds
        assert names(part, "train") | names(part, "valid") == names(dataset, "train")
        assert not names(part, "train") & names(part, "valid")
        assert {p.clip.name for p in part.variants} == names(part, "train")
        assert not {part.artists[n] for n in names(part, "train")} & {part.artists[n] for n in names(part, "valid")}
        held_back += [p.clip.name for p in part.sides["valid"]]
    assert sorted(held_back) == sorted(dataset.folds)


def test_folds_of_a_corpus_without_lists_know_no_artists(corpus: Path) -> None:
    dataset = ready(corpus, "folds")
    assert not dataset.artists
    assert Counter(dataset.folds.values()).total() == 15
    assert set(dataset.folds.values()) == set(range(FOLDS))


def test_folds_need_no_valid_list(copy: Path) -> None:
    for path in copy.glob("*.txt"):
        path.unlink()
    every = [str(path.relative_to(copy)) for path in copy.glob("*/*.wav")]
    write_lists(copy, {"train.txt": "\n".join(every)})
    assert set(ready(copy, "folds").folds.values()) == set(range(FOLDS))


def test_clips_on_a_test_list_are_in_no_fold(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(copy / "hum" / "hum.00003.wav", copy / "hum" / "hum.00005.wav")
    for label in ("chirp", "hiss"):
        shutil.copy(copy / label / f"{label}.00004.wav", copy / label / f"{label}.00005.wav")
    write_table(copy, 6, test=(5,))
    assert not {name for name in ready(copy, "folds").folds if name.endswith("5.wav")}
    assert "left out 3 clips" in capsys.readouterr().err


def test_vocoded_variants_are_in_the_fold_of_their_clip(twice: Path) -> None:
    table = (twice / "tracks.csv").read_text().splitlines()
    marked = [line + (",reconstructed" if line.startswith("hum") else ",audio") for line in table[1:]]
    (twice / "tracks.csv").write_text("\n".join([table[0] + ",source", *marked]))
    dataset = ready(twice, "folds")
    assert {part.clip.label for part in dataset.vocoded["train"]} == {"chirp", "hiss"}
    part = dataset.without_fold(2)
    for side in ("train", "valid"):
        assert {p.clip.name for p in part.vocoded[side]} == {n for n in names(part, side) if not n.startswith("hum")}


def test_other_folds_have_another_fingerprint(twice: Path) -> None:
    """Otherwise a resumed run could predict one clip in two folds, and another in none."""
    before = ready(twice, "folds").fingerprint
    write_table(twice, 6)
    assert ready(twice, "folds").fingerprint != before


def test_duplicates_are_on_one_side_of_a_split_by_tracks(copy: Path) -> None:
    for number in range(5, 15):
        shutil.copy(copy / "hum" / "hum.00000.wav", copy / "hum" / f"hum.{number:05}.wav")
    dataset = ready(copy, "tracks")
    duplicates = {f"hum/hum.{number:05}.wav" for number in (0, *range(5, 15))}
    assert sum(bool(duplicates & names(dataset, side)) for side in dataset.sides) == 1


def test_lists_decide_the_sides(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lists(copy, LISTS)
    dataset = ready(copy, "lists")
    assert names(dataset, "valid") == {f"{label}/{label}.00003.wav" for label in dataset.labels}
    assert len(names(dataset, "train")) == 9
    assert (dataset.unlisted, dataset.held_back) == (3, "valid")
    assert "left out 3 clips" in capsys.readouterr().err


def test_clips_on_a_test_list_are_held_back(copy: Path) -> None:
    write_lists(copy, LISTS | {"test.txt": "hum/hum.00004.wav\n"})
    assert ready(copy, "lists").held_back == "test"


def test_a_duplicate_of_a_valid_clip_leaves_the_training_side(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    with pytest.raises(EdgeError, match="class hum has no usable clip"):
        ready(copy, "tracks")


def test_a_class_without_a_clip_on_the_training_list_is_named(copy: Path) -> None:
    write_lists(copy, LISTS | {"train.txt": "hum/hum.00000.wav\nhiss/hiss.00000.wav"})
    with pytest.raises(EdgeError, match="class chirp has no clip on the training side"):
        ready(copy, "lists")


def test_the_training_side_has_variants_at_other_speeds_and_in_rooms(corpus: Path) -> None:
    dataset = ready(corpus, "tracks")
    train = {p.clip.name: p for p in dataset.sides["train"]}
    assert Counter(p.variant for p in dataset.variants) == dict.fromkeys((*SPEEDS, *ROOMS), len(train))
    for part in dataset.variants:
        original = train[part.clip.name]
        longer = len(part.features) / len(original.features)
        slow, fast = SPEEDS.get(part.variant, (1, 1))
        assert 0.99 / fast <= longer <= 1.01 / slow
        assert (part.label, part.reconstructed, original.variant) == (original.label, original.reconstructed, None)
    assert sum(counts["hum"] for counts in dataset.clips_per_class().values()) == 5


@pytest.mark.parametrize(("split", "recipe"), [("tracks", SEED), ("segments", EDGE)])
def test_windows_and_segments_have_no_variants(corpus: Path, split: str, recipe: Recipe) -> None:
    assert not ready(corpus, split, recipe).variants


def test_other_is_a_class_of_its_own(copy: Path, tmp_path: Path) -> None:
    write_lists(copy, LISTS)
    (tmp_path / "noise").mkdir()
    rng = np.random.default_rng(0)
    for number in range(8):
        soundfile.write(tmp_path / "noise" / f"{number}.wav", rng.normal(0, 0.1, 70_000), 22_050)
    dataset = ready(copy, "lists", other=tmp_path / "noise")
    assert dataset.labels == ("chirp", "hiss", "hum", "other")
    assert dataset.not_music == ("other",)
    assert sum(counts["other"] for counts in dataset.clips_per_class().values()) == 8
    assert {part.variant for part in dataset.variants if part.clip.label == "other"} == set(ROOMS)


def test_a_changed_corpus_has_another_fingerprint(copy: Path) -> None:
    before = ready(copy, "tracks").fingerprint
    assert ready(copy, "tracks").fingerprint == before
    shutil.copy(copy / "hum" / "hum.00001.wav", copy / "hum" / "hum.00002.wav")
    assert ready(copy, "tracks").fingerprint != before


def test_equal_audio_has_an_equal_digest(corpus: Path) -> None:
    part = ready(corpus, "tracks").sides["train"][0]
    assert digest(part.features) == digest(part.features.copy())
    assert digest(part.features) != digest(part.features[1:])
