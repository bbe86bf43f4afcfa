"""Detection of a change of music: the last seconds are compared with the ones before, coefficient by coefficient.

A state that has heard much changes slowly, so a stream model has to know when to start again (Foote 2000, "Automatic
audio segmentation using a measure of audio novelty").
"""

from collections import deque

import numpy as np

from edge.arrays import DoubleArray, FloatArray

COEFFICIENTS = 20  # the coarse shape of the spectrum and its level; finer ones change within a piece as well
MIN_VARIANCE = 0.02  # of normalised coefficients, so that everything after a held note doesn't count as new


class NoveltyDetector:
    """Takes the features of a stream block by block, and keeps as many blocks as it compares."""

    def __init__(self, recent: int, before: int, threshold: float) -> None:
        """Compare the last blocks with the ones before them.

        Parameters
        ----------
        recent
            Number of blocks after a possible change.
        before
            Largest number of blocks before it.
        threshold
            `novelty` from which on it is a change.
        """
        self._recent, self._capacity, self._threshold = recent, recent + before, threshold
        self._blocks: deque[FloatArray] = deque(maxlen=recent)
        self._known = 0  # rows of the table that are filled, its last ones
        self._table = np.empty((self._capacity, 0))  # a row per block: means, then squared means, of the coefficients
        self._weights = np.empty((2, 0))  # of the rows: each line averages one side

    def reset(self) -> None:
        """Forget all blocks."""
        self._blocks.clear()
        self._known = 0

    def update(self, block: FloatArray) -> list[FloatArray]:
        """Take one block.

        Parameters
        ----------
        block
            (frames, n_mfcc) normalised features.

        Returns
        -------
        The blocks since a change if this block reveals one, otherwise an empty list.
        """
        self._blocks.append(block)
        self._append_row(block)
        if self._known < 2 * self._recent:
            return []  # too few to compare
        before = self._known - self._recent
        if self._weights.shape[1] != self._known:
            self._weights = np.zeros((2, self._known))
            self._weights[0, before:] = 1 / self._recent
            self._weights[1, :before] = 1 / before
        moments = self._weights @ self._table[-self._known :]
        if novelty(moments, self._recent, before) < self._threshold:
            return []
        self._known = self._recent
        return list(self._blocks)

    def _append_row(self, block: FloatArray) -> None:
        mean = np.add.reduce(block[:, :COEFFICIENTS], dtype=np.float64) / len(block)
        if self._table.shape[1] != 2 * len(mean):
            self._table = np.empty((self._capacity, 2 * len(mean)))
        self._table[:-1] = self._table[1:]
        self._table[-1, : len(mean)] = mean
        self._table[-1, len(mean) :] = mean * mean
        self._known = min(self._known + 1, self._capacity)


def novelty(moments: DoubleArray, recent: int, before: int) -> float:
    """Compute the mean over the coefficients of Student's t, squared, between two samples: 1 where they are alike.

    Parameters
    ----------
    moments
        (2, 2 * k): the means of k coefficients and of their squares, after and before a possible change.
    recent, before
        Sizes of the two samples.
    """
    k = moments.shape[1] // 2
    means, squares = moments[:, :k], moments[:, k:]
    deviation = np.array((recent, before), np.float64) @ (squares - means * means)
    variance = deviation / (recent + before) + MIN_VARIANCE
    difference = means[0] - means[1]
    return float(difference @ (difference / variance)) / k * recent * before / (recent + before)
