"""Other copies of a clip, from which the same is to be learned: slower, faster, in a room, or through the vocoder.

What is random about a copy is drawn from a generator that the audio file's own bytes seed.
"""

import zlib

import numpy as np
import soxr

from edge.frontend import FloatArray
from train.augment import room
from train.augment.vocoder import METHOD, vocode

# Tempo and pitch move together, as on a turntable.
SPEEDS = {"slowest": (0.74, 0.86), "slower": (0.86, 0.96), "faster": (1.04, 1.16), "fastest": (1.16, 1.33)}
ROOMS = ("in room", "in another room")
VOCODED = "vocoded"
ROOM_SNR_DB = (8.0, 30.0)
METHODS = dict.fromkeys(SPEEDS, "soxr") | dict.fromkeys(ROOMS, "image sources") | {VOCODED: METHOD}  # as the code is


def copy_of(content: bytes, samples: FloatArray, sample_rate: int, kind: str) -> FloatArray:
    """The copy of `kind` of an audio file's `content`, decoded to (n,) `samples`: (m,) at the same rate."""
    another = ROOMS.index(kind) if kind in ROOMS else 0
    rng = np.random.default_rng(zlib.crc32(content, another))
    if kind in SPEEDS:
        changed: FloatArray = soxr.resample(samples, rng.uniform(*SPEEDS[kind]), 1.0).astype(np.float32)
        return changed
    if kind in ROOMS:
        heard = room.in_room(soxr.resample(samples, sample_rate, room.RATE), rng.uniform(*ROOM_SNR_DB), rng)
        brought_back: FloatArray = soxr.resample(heard, room.RATE, sample_rate)
        return brought_back
    return vocode(samples, sample_rate)
