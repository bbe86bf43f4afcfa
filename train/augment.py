"""Other rooms, microphones and levels, made in the MFCC domain.

The DCT-II is orthonormal: a gain of g dB adds g·√n_mels to the first coefficient, and an equaliser curve
a·cos(πk(n + ½)/n_mels) dB adds a·√(n_mels/2) to the k-th.
"""

import numpy as np

from edge.frontend import FloatArray
from train.recipes import Augmentation


def colour(blocks: FloatArray, settings: Augmentation, n_mels: int, rng: np.random.Generator) -> FloatArray:
    """A random gain and a random smooth equaliser for each crop: MFCCs (n, T, frames, n_mfcc) → the same shape."""
    offset = np.zeros((len(blocks), blocks.shape[-1]), np.float32)
    offset[:, 0] = rng.uniform(-settings.gain_db, settings.gain_db, len(blocks)) * np.sqrt(n_mels)
    for k in range(1, settings.eq_terms + 1):
        offset[:, k] = rng.normal(0, settings.eq_db / k, len(blocks)) * np.sqrt(n_mels / 2)
    return blocks + offset[:, None, None, :]
