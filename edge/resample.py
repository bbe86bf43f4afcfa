"""Any rate and channel count in, the model's mono rate out, as a stream."""

import numpy as np
import soxr

from edge.frontend import FloatArray


class ToModelRate:
    """Downmixes blocks and resamples them with soxr, block by block; passes through where nothing is to do."""

    def __init__(self, source_rate: int, model_rate: int) -> None:
        """Rates in Hz."""
        self._soxr = None
        if source_rate != model_rate:
            self._soxr = soxr.ResampleStream(source_rate, model_rate, 1, dtype="float32", quality="HQ")

    def __call__(self, block: FloatArray, last: bool = False) -> FloatArray:
        """(n, channels) samples of the source → (m,) samples for the model; `last` drains the filter."""
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
        if self._soxr is None:
            return mono
        resampled: FloatArray = self._soxr.resample_chunk(np.ascontiguousarray(mono), last=last)
        return resampled
