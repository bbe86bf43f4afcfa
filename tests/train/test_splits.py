from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import EdgeError
from train.splits import part_twins, side_of_other, split_segments, split_tracks


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
def test_twins_stay_together(seed: int) -> None:
    digests = ["twin" if i in (3, 17) else str(i) for i in range(20)]
    sides = split_tracks(["a"] * 20, digests, seed)
    assert sides[3] == sides[17]


def test_a_class_of_two_tracks_can_not_be_split() -> None:
    with pytest.raises(EdgeError, match="class b has 2 different tracks"):
        split_tracks(["a"] * 5 + ["b"] * 3, ["1", "2", "3", "4", "5", "6", "6", "7"], 0)


def test_a_twin_leaves_the_training_side() -> None:
    assert part_twins(["train", "valid", "train", "test"], ["x", "x", "y", "z"]) == ["", "valid", "train", "test"]


def test_other_is_split_by_its_name_three_to_one() -> None:
    sides = Counter(side_of_other(f"other/{i}.ogg", 0) for i in range(2000))
    assert 0.72 < sides["train"] / 2000 < 0.78
    assert sides["train"] + sides["valid"] == 2000
