from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.errors import EdgeError
from train.corpus.splits import FOLDS, exclude_duplicates, side_of_other, split_folds, split_segments, split_tracks

pytestmark = pytest.mark.workstation


def test_segments_are_split_in_the_notebooks_shares() -> None:
    assert Counter(split_segments(1000, 0)) == {"train": 600, "test": 250, "valid": 150}


@given(st.integers(0, 10), st.lists(st.integers(4, 30), min_size=2, max_size=5))
def test_tracks_are_split_by_class(seed: int, sizes: list[int]) -> None:
    labels = [f"class {i}" for i, size in enumerate(sizes) for _ in range(size)]
    sides = split_tracks(labels, [str(i) for i in range(len(labels))], seed)
    for i, size in enumerate(sizes):
        found = Counter(side for side, label in zip(sides, labels, strict=True) if label == f"class {i}")
        assert found["test"] == max(1, round(size / 4))
        assert found["train"] > 0
        assert found["valid"] > 0


@given(st.integers(0, 50))
def test_duplicates_stay_together(seed: int) -> None:
    digests = ["duplicate" if i in (3, 17) else str(i) for i in range(20)]
    sides = split_tracks(["a"] * 20, digests, seed)
    assert sides[3] == sides[17]


def test_a_class_of_two_tracks_is_refused() -> None:
    with pytest.raises(EdgeError, match="class b has 2 different tracks"):
        split_tracks(["a"] * 5 + ["b"] * 3, ["1", "2", "3", "4", "5", "6", "6", "7"], 0)


def clips_of_artists(classes: int, artists: int, clips: int) -> tuple[list[str], list[str], list[str]]:
    """Labels, artists and digests of a corpus without duplicates."""
    names = [(f"class {c}", f"artist {c}.{a}") for c in range(classes) for a in range(artists) for _ in range(clips)]
    return [label for label, _ in names], [artist for _, artist in names], [str(i) for i in range(len(names))]


@given(st.integers(0, 10), st.integers(2, 4), st.integers(FOLDS, 12), st.integers(1, 3))
def test_every_class_is_in_every_fold_and_no_artist_in_two(seed: int, classes: int, artists: int, clips: int) -> None:
    labels, groups, digests = clips_of_artists(classes, artists, clips)
    folds = split_folds(labels, groups, digests, seed)
    assert {*zip(labels, folds, strict=True)} == {(label, fold) for label in set(labels) for fold in range(FOLDS)}
    assert len({*zip(groups, folds, strict=True)}) == len(set(groups))
    fewest, most = (f(Counter(folds).values()) for f in (min, max))
    assert most - fewest <= classes * clips


DUPLICATES = st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=4)


@given(st.integers(0, 5), DUPLICATES)
@example(0, [(0, 12)])
def test_equal_audio_and_the_artists_of_it_are_in_one_fold(seed: int, duplicates: list[tuple[int, int]]) -> None:
    """A recording may occur twice under two artists: then both artists are in one fold."""
    labels, groups, digests = clips_of_artists(2, 10, 2)
    for one, other in duplicates:
        digests[other] = digests[one]
    folds = split_folds(labels, groups, digests, seed)
    for together in (digests, groups):
        assert len({*zip(together, folds, strict=True)}) == len(set(together))


def test_folds_are_the_same_for_the_same_seed() -> None:
    corpus = clips_of_artists(3, 8, 2)
    assert split_folds(*corpus, 1) == split_folds(*corpus, 1) != split_folds(*corpus, 2)


def test_folds_of_a_class_with_too_few_artists_are_refused() -> None:
    labels, groups, digests = clips_of_artists(2, FOLDS, 3)
    groups[:3] = groups[3:6]
    with pytest.raises(
        EdgeError, match=f"class class 0 has clips of {FOLDS - 1} artists or tracks; {FOLDS} folds need {FOLDS}"
    ):
        split_folds(labels, groups, digests, 0)


def test_a_duplicate_is_excluded_from_the_earlier_side() -> None:
    assert exclude_duplicates(["train", "valid", "train", "test"], ["x", "x", "y", "z"]) == [
        "",
        "valid",
        "train",
        "test",
    ]


def test_other_is_split_by_its_name_three_to_one() -> None:
    sides = Counter(side_of_other(f"other/{i}.ogg", 0) for i in range(2000))
    assert 0.72 < sides["train"] / 2000 < 0.78
    assert sides["train"] + sides["valid"] == 2000
