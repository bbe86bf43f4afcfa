"""Audio files as mono float32 samples at the rate of a front end."""

import io
from pathlib import Path

import numpy as np
import soundfile
import soxr

from edge.arrays import FloatArray


class BadClipError(Exception):
    """A file that cannot be used; the message is the reason, to be printed after the name of the file."""


def decode(content: bytes, sample_rate: int) -> FloatArray:
    """Decode the bytes of an audio file.

    Returns
    -------
    ndarray of float32, (n,)
        Mean of the channels, resampled to `sample_rate` Hz by soxr HQ.

    Raises
    ------
    BadClipError
        If libsndfile cannot read it, it is empty, or a sample is not finite.
    """
    try:
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BadClipError(f"unreadable ({error.error_string.rstrip('.')})") from None
    except (RuntimeError, ValueError) as error:
        raise BadClipError(f"unreadable ({str(error).rstrip('.')})") from None
    mono: FloatArray = samples.mean(axis=1, dtype=np.float32)
    if not len(mono):
        raise BadClipError("contains no audio")
    if not np.isfinite(mono).all():
        raise BadClipError("contains samples that are not finite")
    return mono if rate == sample_rate else soxr.resample(mono, rate, sample_rate, "HQ")


def load_audio(path: Path, sample_rate: int) -> FloatArray:
    """Read and decode an audio file: (n,) float32 at `sample_rate` Hz. Raises BadClipError."""
    try:
        return decode(path.read_bytes(), sample_rate)
    except OSError as error:
        raise BadClipError(f"unreadable ({error.strerror})") from None
