"""MFCCs of a stream: the same frames however the samples are cut into blocks."""

import numpy as np

from edge.arrays import FloatArray
from edge.features.mfcc import FrontEnd, MfccComputer, split_frames


class MfccStream:
    """Buffers samples until a frame is complete (the online feature of Kaldi).

    Examples
    --------
    >>> import numpy as np
    >>> from edge import FrontEnd, MfccStream
    >>> stream = MfccStream(FrontEnd(n_fft=2048, hop_length=512, n_mfcc=20))
    >>> stream.accept(np.zeros(2000, np.float32)).shape
    (0, 20)
    >>> stream.accept(np.zeros(1000, np.float32)).shape
    (2, 20)
    """

    def __init__(self, front_end: FrontEnd) -> None:
        """Precompute the tables of a front end.

        Raises
        ------
        ValueError
            If its features need the future (`center`) or the whole clip (`top_db`).
        """
        if not front_end.streamable:
            raise ValueError("center=True and top_db can't be streamed: train with center=False, top_db=None")
        self._front_end = front_end
        self._computer = MfccComputer(front_end)
        self._pending = np.empty(0, np.float32)

    def reset(self) -> None:
        """Forget the samples of the frame that is not complete."""
        self._pending = np.empty(0, np.float32)

    def features(self, frames: FloatArray) -> FloatArray:
        """MFCCs of whole frames: (frames, n_fft) samples → (frames, n_mfcc)."""
        return self._computer.cepstrum(self._computer.log_mel(frames))

    def accept(self, samples: FloatArray) -> FloatArray:
        """Take samples.

        Parameters
        ----------
        samples
            (n,) samples at the front end's rate, n of any size.

        Returns
        -------
        (frames, n_mfcc) MFCCs in dB of the frames that the samples complete.
        """
        self._pending = np.concatenate([self._pending, samples])
        frames = split_frames(self._pending, self._front_end)
        features = self.features(frames)
        self._pending = self._pending[len(frames) * self._front_end.hop_length :].copy()
        return features
