"""Has something else begun to play? The last seconds are compared with those before them, coefficient by coefficient.

A state that has heard much changes its mind slowly, so a stream has to know when to forget.
"""

from collections import deque

import numpy as np

from edge.frontend import FloatArray

COEFFICIENTS = 20  # the coarse shape of the spectrum and its level; finer ones change within a piece, too
LEAST_VARIANCE = 0.02  # of normalised coefficients: a held note is no reason to find everything else new


class Change:
    """Takes the frames of a stream block by block, and keeps as many blocks as it compares."""

    def __init__(self, recent: int, before: int, threshold: float) -> None:
        """Compare `recent` blocks with up to `before` earlier ones; a `novelty` from `threshold` on is a change."""
        self._recent, self._threshold = recent, threshold
        self._blocks: deque[FloatArray] = deque(maxlen=recent)
        self._means: deque[FloatArray] = deque(maxlen=recent + before)

    def forget(self) -> None:
        """Start afresh: what comes now has nothing before it."""
        self._blocks.clear()
        self._means.clear()

    def hear(self, block: FloatArray) -> list[FloatArray]:
        """The blocks since a change, if `block`, (frames, n_mfcc) normalised features, makes one plain; else none."""
        self._blocks.append(block)
        self._means.append(block[:, :COEFFICIENTS].mean(axis=0))
        if len(self._means) < 2 * self._recent:
            return []  # too little to compare with
        means = np.stack(self._means)
        if novelty(means[-self._recent :], means[: -self._recent]) < self._threshold:
            return []
        for _ in range(len(self._means) - self._recent):
            self._means.popleft()
        return list(self._blocks)


def novelty(recent: FloatArray, before: FloatArray) -> float:
    """Mean over the coefficients of Student's t between two samples, squared: (n, k) and (m, k) → 1 where alike."""
    n, m = len(recent), len(before)
    variance = (n * recent.var(axis=0) + m * before.var(axis=0)) / (n + m) + LEAST_VARIANCE
    difference = recent.mean(axis=0) - before.mean(axis=0)
    return float((difference * difference / variance).mean()) * n * m / (n + m)
