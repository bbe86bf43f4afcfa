"""Other copies of a clip, from which the same is to be learned: slower, faster, in a room, or through the vocoder.

What is random about a copy is drawn from a generator that the audio file's own bytes seed.
"""

import zlib

import numpy as np
import soxr

from edge.frontend import FloatArray
from train import room
from train.vocoder import METHOD, vocode

SLOWER, FASTER, IN_ROOM, VOCODED = "slower", "faster", "in room", "vocoded"
SPEEDS = {SLOWER: (0.86, 0.96), FASTER: (1.04, 1.16)}  # tempo and pitch move together, as on a turntable
ROOM_SNR_DB = (8.0, 30.0)
METHODS = {SLOWER: "soxr", FASTER: "soxr", IN_ROOM: "image sources", VOCODED: METHOD}  # change one with its code


def copy_of(content: bytes, samples: FloatArray, sample_rate: int, kind: str) -> FloatArray:
    """The copy of `kind` of an audio file's `content`, decoded to (n,) `samples`: (m,) at the same rate."""
    rng = np.random.default_rng(zlib.crc32(content))
    if kind in SPEEDS:
        changed: FloatArray = soxr.resample(samples, rng.uniform(*SPEEDS[kind]), 1.0).astype(np.float32)
        return changed
    if kind == IN_ROOM:
        heard = room.in_room(soxr.resample(samples, sample_rate, room.RATE), rng.uniform(*ROOM_SNR_DB), rng)
        brought_back: FloatArray = soxr.resample(heard, room.RATE, sample_rate)
        return brought_back
    return vocode(samples, sample_rate)
