"""Audio that stands for a microphone: a mono file at the source's rate, repeated for as long as needed."""

import itertools
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from edge.arrays import FloatArray
from edge.audio.files import FileSource
from edge.audio.resample import Resampler
from edge.audio.source import BLOCK_SECONDS, Gap
from edge.benchmark import SOURCE_RATE
from edge.errors import EdgeError

REPEAT_BLOCK_SECONDS = 1.0


def write_source(path: Path, out: Path, seconds: float, rate: int = SOURCE_RATE) -> None:
    """Write up to `seconds` of an audio file as mono float samples at another rate.

    Raises
    ------
    EdgeError
        If the file is not audio or holds no samples.
    """
    with FileSource(path) as source, soundfile.SoundFile(out, "w", rate, channels=1, subtype="FLOAT") as file:
        resample = Resampler(source.rate, rate)
        for block in itertools.islice(source.blocks(), math.ceil(seconds / BLOCK_SECONDS)):
            assert not isinstance(block, Gap)  # a file has none
            file.write(resample(block))
        file.write(resample(np.empty((0, 1), np.float32), last=True))
        if not file.frames:
            raise EdgeError(f"{path}: holds no audio")


def write_repeated(source: Path, out: Path, seconds: float) -> None:
    """Write a mono file of 16-bit samples: `seconds` of `source`, which starts again at its end."""
    rate = soundfile.info(source).samplerate
    length = round(REPEAT_BLOCK_SECONDS * rate)
    total = round(seconds * rate)
    with soundfile.SoundFile(out, "w", rate, channels=1, subtype="PCM_16") as file:
        for block in looped(source, length, math.ceil(total / length)):
            file.write(block[: total - file.frames])


def looped(path: Path, length: int, count: int) -> Iterator[FloatArray]:
    """Yield `count` blocks of (length, 1) samples of a mono file, which starts again at its end.

    The file is read block by block: audio kept in memory would be counted as the model's.
    """
    with soundfile.SoundFile(path) as file:
        for _ in range(count):
            block = file.read(length, dtype="float32", always_2d=True)
            while len(block) < length:
                file.seek(0)
                block = np.concatenate([block, file.read(length - len(block), dtype="float32", always_2d=True)])
            yield block


def paced(blocks: Iterator[FloatArray], block_s: float) -> Iterator[FloatArray]:
    """Yield the same blocks, each when its last sample would have been recorded: the core sleeps in between."""
    began = time.monotonic()
    for number, block in enumerate(blocks, 1):
        time.sleep(max(0.0, began + number * block_s - time.monotonic()))
        yield block
