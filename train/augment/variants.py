"""Variants of a clip for training: slower, faster, in a simulated room, or through the vocoder.

The random numbers of a variant come from a generator that is seeded with the bytes of the audio file.
"""

import zlib

import numpy as np
import soxr

from edge.arrays import FloatArray
from train.augment import room
from train.augment.vocoder import METHOD, vocode

# Kind → range of speeds. Tempo and pitch change together, as on a turntable.
SPEEDS = {"slowest": (0.74, 0.86), "slower": (0.86, 0.96), "faster": (1.04, 1.16), "fastest": (1.16, 1.33)}
ROOMS = ("in room", "in another room")
VOCODED = "vocoded"
ROOM_SNR_DB = (8.0, 30.0)
# Kind → method. Part of the names of cache entries: change it when the code of a method changes.
METHODS = dict.fromkeys(SPEEDS, "soxr") | dict.fromkeys(ROOMS, "image sources") | {VOCODED: METHOD}


def make_variant(content: bytes, samples: FloatArray, sample_rate: int, kind: str) -> FloatArray:
    """Make a variant of a clip.

    Parameters
    ----------
    content
        Bytes of the audio file; they seed the random generator.
    samples
        The decoded clip, (n,).
    sample_rate
        Of `samples` and of the result, in Hz.
    kind
        A key of METHODS.

    Returns
    -------
    ndarray of float32, (m,)
        `m` differs from `n` if the speed does.
    """
    another = ROOMS.index(kind) if kind in ROOMS else 0
    rng = np.random.default_rng(zlib.crc32(content, another))
    if kind in SPEEDS:
        changed: FloatArray = soxr.resample(samples, rng.uniform(*SPEEDS[kind]), 1.0).astype(np.float32)
        return changed
    if kind in ROOMS:
        recorded = room.in_room(soxr.resample(samples, sample_rate, room.RATE), rng.uniform(*ROOM_SNR_DB), rng)
        resampled: FloatArray = soxr.resample(recorded, room.RATE, sample_rate)
        return resampled
    return vocode(samples, sample_rate)
