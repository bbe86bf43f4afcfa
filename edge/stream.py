"""Samples in, frames out: the same MFCCs however the samples are cut into blocks."""

import numpy as np

from edge.frontend import FloatArray, FrontEnd, MfccComputer, split_frames


class MfccStream:
    """Buffers samples until a frame is complete (the online feature of Kaldi)."""

    def __init__(self, front_end: FrontEnd) -> None:
        """Raise ValueError for features that need to know the future or the whole clip."""
        if not front_end.streamable:
            raise ValueError("a stream can't know center=True or top_db: train with center=False, top_db=None")
        self._front_end = front_end
        self._computer = MfccComputer(front_end)
        self.reset()

    def reset(self) -> None:
        """Forget the samples of the frame that is not complete yet."""
        self._pending = np.empty(0, np.float32)

    def features(self, frames: FloatArray) -> FloatArray:
        """MFCCs of whole frames: (frames, n_fft) samples → (frames, n_mfcc)."""
        return self._computer.cepstrum(self._computer.log_mel(frames))

    def accept(self, samples: FloatArray) -> FloatArray:
        """Take (n,) samples at the front end's rate; return the frames they complete: (frames, n_mfcc)."""
        self._pending = np.concatenate([self._pending, samples])
        frames = split_frames(self._pending, self._front_end)
        features = self.features(frames)
        self._pending = self._pending[len(frames) * self._front_end.hop_length :].copy()
        return features
