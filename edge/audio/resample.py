"""Streaming conversion of any sample rate and channel count to the model's mono rate."""

import numpy as np
import soxr

from edge.arrays import FloatArray


class Resampler:
    """Mixes blocks down to mono and resamples them with soxr; passes them through if the rates are equal."""

    def __init__(self, source_rate: int, model_rate: int) -> None:
        """Start a stream; both rates in Hz."""
        self._soxr = None
        if source_rate != model_rate:
            self._soxr = soxr.ResampleStream(source_rate, model_rate, 1, dtype="float32", quality="HQ")

    def __call__(self, block: FloatArray, last: bool = False) -> FloatArray:
        """(n, channels) samples at the source's rate → (m,) samples at the model's; `last` drains the filter."""
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
        if self._soxr is None:
            return mono
        resampled: FloatArray = self._soxr.resample_chunk(np.ascontiguousarray(mono), last=last)
        return resampled
