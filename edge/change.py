"""Has something else begun to play? The last seconds are compared with those before them, coefficient by coefficient.

A state that has heard much changes its mind slowly, so a stream has to know when to forget.
"""

from collections import deque

import numpy as np

from edge.frontend import DoubleArray, FloatArray

COEFFICIENTS = 20  # the coarse shape of the spectrum and its level; finer ones change within a piece, too
LEAST_VARIANCE = 0.02  # of normalised coefficients: a held note is no reason to find everything else new


class Change:
    """Takes the frames of a stream block by block, and keeps as many blocks as it compares."""

    def __init__(self, recent: int, before: int, threshold: float) -> None:
        """Compare `recent` blocks with up to `before` earlier ones; a `novelty` from `threshold` on is a change."""
        self._recent, self._threshold = recent, threshold
        self._blocks: deque[FloatArray] = deque(maxlen=recent)
        self._means = np.empty((recent + before, 0))  # of the blocks, the latest in the last row
        self._known = 0  # how many of its rows are of blocks

    def forget(self) -> None:
        """Start afresh: what comes now has nothing before it."""
        self._blocks.clear()
        self._known = 0

    def hear(self, block: FloatArray) -> list[FloatArray]:
        """The blocks since a change, if `block`, (frames, n_mfcc) normalised features, makes one plain; else none."""
        self._blocks.append(block)
        coarse = block[:, :COEFFICIENTS]
        if not self._known:
            self._means = np.empty((len(self._means), coarse.shape[1]))
        self._means[:-1] = self._means[1:]
        self._means[-1] = np.add.reduce(coarse) / len(coarse)
        self._known = min(self._known + 1, len(self._means))
        if self._known < 2 * self._recent:
            return []  # too little to compare with
        if novelty(self._means[-self._recent :], self._means[-self._known : -self._recent]) < self._threshold:
            return []
        self._known = self._recent
        return list(self._blocks)


def novelty(recent: DoubleArray, before: DoubleArray) -> float:
    """Mean over the coefficients of Student's t between two samples, squared: (n, k) and (m, k) → 1 where alike."""
    n, m = len(recent), len(before)
    mean_recent, spread_recent = _mean_and_spread(recent)
    mean_before, spread_before = _mean_and_spread(before)
    variance = (spread_recent + spread_before) / (n + m) + LEAST_VARIANCE
    difference = mean_recent - mean_before
    return float((difference * difference / variance).mean()) * n * m / (n + m)


def _mean_and_spread(x: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Mean and summed squared deviation of each column; ndarray.var would take three times as long."""
    mean = np.add.reduce(x) / len(x)
    deviation = x - mean
    return mean, np.einsum("ij,ij->j", deviation, deviation)
