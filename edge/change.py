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
        self._recent, self._most, self._threshold = recent, recent + before, threshold
        self._blocks: deque[FloatArray] = deque(maxlen=recent)
        self.forget()

    def forget(self) -> None:
        """Start afresh: what comes now has nothing before it."""
        self._blocks.clear()
        self._known = 0
        self._sides = np.empty((2, 0))

    def hear(self, block: FloatArray) -> list[FloatArray]:
        """The blocks since a change, if `block`, (frames, n_mfcc) normalised features, makes one plain; else none."""
        self._blocks.append(block)
        self._keep(block)
        if self._known < 2 * self._recent:
            return []  # too little to compare with
        before = self._known - self._recent
        if self._sides.shape[1] != self._known:
            self._sides = np.zeros((2, self._known))  # each averages one side
            self._sides[0, before:] = 1 / self._recent
            self._sides[1, :before] = 1 / before
        moments = self._sides @ self._table[-self._known :]
        if novelty(moments, self._recent, before) < self._threshold:
            return []
        self._known = self._recent
        return list(self._blocks)

    def _keep(self, block: FloatArray) -> None:
        """One more row of the table, the last: the block's mean, coefficient by coefficient, and its square."""
        mean = np.add.reduce(block[:, :COEFFICIENTS], dtype=np.float64) / len(block)
        if not self._known:
            self._table = np.empty((self._most, 2 * len(mean)))
        self._table[:-1] = self._table[1:]
        self._table[-1, : len(mean)] = mean
        self._table[-1, len(mean) :] = mean * mean
        self._known = min(self._known + 1, self._most)


def novelty(moments: DoubleArray, recent: int, before: int) -> float:
    """Mean over the coefficients of Student's t between two samples, squared: 1 where they are alike.

    `moments` (2, 2 * k) has the means of k coefficients, and of their squares, over the `recent` and the `before`.
    """
    k = moments.shape[1] // 2
    means, squares = moments[:, :k], moments[:, k:]
    deviation = np.array((recent, before), np.float64) @ (squares - means * means)
    variance = deviation / (recent + before) + LEAST_VARIANCE
    difference = means[0] - means[1]
    return float(difference @ (difference / variance)) / k * recent * before / (recent + before)
