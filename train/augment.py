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


def mask(blocks: FloatArray, settings: Augmentation, rng: np.random.Generator) -> FloatArray:
    """Blank stretches of blocks of normalised features (SpecAugment's time masks, Park et al. 2019)."""
    masked = blocks.copy()
    length = blocks.shape[1]
    for crop in masked:
        for _ in range(settings.masks):
            width = rng.integers(0, int(settings.mask_share * length) + 1)
            start = rng.integers(0, length - width + 1)
            crop[start : start + width] = 0
    return masked


def mixup(
    blocks: FloatArray, targets: FloatArray, settings: Augmentation, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Each crop and its target blended with another of the batch (Zhang et al. 2018)."""
    if not settings.mixup:
        return blocks, targets
    share = rng.beta(settings.mixup, settings.mixup, len(blocks)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    partner = rng.permutation(len(blocks))
    wide = share[:, None, None, None]
    mixed = wide * blocks + (1 - wide) * blocks[partner]
    return mixed, share[:, None] * targets + (1 - share[:, None]) * targets[partner]
