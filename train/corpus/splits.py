"""Splits of a corpus into sides (train, valid, test) or folds."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from edge.errors import EdgeError

TEST_SHARE = 0.25
VALID_SHARE = 0.2  # of what the test side leaves
OTHER_TRAIN_SHARE = 0.75
FOLDS = 3
EXCLUDED = ""  # in place of a side: the clip is not used


def split_segments(count: int, seed: int) -> list[str]:
    """Split `count` segments at random whatever tracks they come from, as the notebook did.

    Returns
    -------
    list of str
        Side of each segment.

    Raises
    ------
    EdgeError
        If there are fewer than four segments.
    """
    if count < 4:
        raise EdgeError(f"{count} segments are too few for a split into train, valid and test")
    rest, test = train_test_split(range(count), test_size=TEST_SHARE, random_state=seed)
    _, valid = train_test_split(rest, test_size=VALID_SHARE, random_state=seed)
    sides = ["train"] * count
    for side, indices in (("test", test), ("valid", valid)):
        for index in indices:
            sides[index] = side
    return sides


def split_tracks(labels: Sequence[str], digests: Sequence[str], seed: int) -> list[str]:
    """Split whole tracks in the same shares, class by class; tracks of equal digest stay together.

    Parameters
    ----------
    labels, digests
        Class and content hash of each track.

    Returns
    -------
    list of str
        Side of each track.

    Raises
    ------
    EdgeError
        If a class has fewer than three different tracks.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index, digest in enumerate(digests):
        groups[digest].append(index)
    by_label: dict[str, list[list[int]]] = defaultdict(list)
    for group in groups.values():
        by_label[labels[group[0]]].append(group)
    rng = np.random.default_rng(seed)
    sides = ["train"] * len(labels)
    for label in sorted(by_label):
        members = by_label[label]
        if len(members) < 3:
            raise EdgeError(f"the class {label} has {len(members)} different tracks; three sides need three")
        tests = max(1, round(TEST_SHARE * len(members)))
        valids = max(1, round(VALID_SHARE * (len(members) - tests)))
        for place, chosen in enumerate(rng.permutation(len(members))[: tests + valids]):
            for index in members[chosen]:
                sides[index] = "test" if place < tests else "valid"
    return sides


def split_folds(labels: Sequence[str], groups: Sequence[str], digests: Sequence[str], seed: int) -> list[int]:
    """Split clips into FOLDS folds with about equal shares of each class, and no group or digest in two folds.

    Parameters
    ----------
    labels, groups, digests
        Class, artist (or track) and content hash of each clip.

    Returns
    -------
    list of int
        Fold of each clip, from 0.

    Raises
    ------
    EdgeError
        If a class has fewer groups than FOLDS.
    """
    # Clips of one group belong together, clips of one digest too, and so do clips that are linked over several of both.
    keys = dict.fromkeys([*(("group", g) for g in groups), *(("digest", d) for d in digests)])
    nodes = {key: index for index, key in enumerate(keys)}
    rows, columns = [nodes["group", g] for g in groups], [nodes["digest", d] for d in digests]
    links = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(nodes), len(nodes)))
    _, component = connected_components(links, directed=False)
    together = component[rows].tolist()
    for label in sorted(set(labels)):
        count = len({group for own, group in zip(labels, together, strict=True) if own == label})
        if count < FOLDS:
            raise EdgeError(f"the class {label} has clips of {count} artists or tracks; {FOLDS} folds need {FOLDS}")
    folder = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    folds = [0] * len(labels)
    for fold, (_, held_back) in enumerate(folder.split(np.zeros(len(labels)), labels, together)):
        for index in held_back:
            folds[index] = fold
    return folds


def side_of_other(name: str, seed: int) -> str:
    """Side (train or valid) of a clip of the class `other`, which lists do not name: a hash of its name decides."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return "train" if digest[0] < 256 * OTHER_TRAIN_SHARE else "valid"


def exclude_duplicates(sides: Sequence[str], digests: Sequence[str]) -> list[str]:
    """Exclude clips that have a duplicate of equal digest on a later side (train, valid, test): the new sides."""
    order = ("train", "valid", "test")
    latest: dict[str, int] = {}
    for side, digest in zip(sides, digests, strict=True):
        latest[digest] = max(latest.get(digest, 0), order.index(side))
    return [s if order.index(s) == latest[d] else EXCLUDED for s, d in zip(sides, digests, strict=True)]
