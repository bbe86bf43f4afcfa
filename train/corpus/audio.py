"""Audio files as mono float32 at the rate of a front end."""

import io
from pathlib import Path

import numpy as np
import soundfile
import soxr

from edge.frontend import FloatArray


class BadClipError(Exception):
    """A file that can't be learned from; the message is the reason, to be put behind the file's name."""


def decode(content: bytes, sample_rate: int) -> FloatArray:
    """The samples of an audio file's bytes: (n,), channels averaged, resampled by soxr HQ. Raise BadClipError."""
    try:
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise BadClipError(f"unreadable ({str(error).rstrip('.')})") from None
    mono: FloatArray = samples.mean(axis=1, dtype=np.float32)
    if not len(mono):
        raise BadClipError("holds no audio")
    if not np.isfinite(mono).all():
        raise BadClipError("holds samples that are no numbers")
    return mono if rate == sample_rate else soxr.resample(mono, rate, sample_rate, "HQ")


def load(path: Path, sample_rate: int) -> FloatArray:
    """The samples of an audio file: (n,) at `sample_rate` Hz. Raise BadClipError."""
    try:
        return decode(path.read_bytes(), sample_rate)
    except OSError as error:
        raise BadClipError(f"unreadable ({error.strerror})") from None
