"""MFCCs with numpy alone, equal to `librosa.feature.mfcc` within 1e-3 dB (tests/edge/features/test_mfcc.py)."""

import math
from dataclasses import dataclass

import numpy as np

from edge.arrays import DoubleArray, FloatArray

AMIN = 1e-10  # power floor of librosa.power_to_db: -100 dB
DECIBELS = 10 / math.log(10)  # of a power ratio of e
BATCH_FRAMES = 32  # more frames at a time do not fit the cache and cost three times as much
GROUP_FILTERS = 16  # mel filters multiplied at a time: fewer mean more calls, more mean more zeros


@dataclass(frozen=True)
class FrontEnd:
    """Settings of the MFCCs of a model.

    Attributes
    ----------
    sample_rate, f_min, f_max
        In Hz.
    n_fft, hop_length
        Frame length and distance between frames, in samples.
    n_mels, n_mfcc
        Numbers of mel bands and of coefficients.
    center
        Pad half a frame at both ends: the first frame looks n_fft / 2 samples into the future.
    top_db
        Clip this far below the loudest moment of the clip, which a stream can't know; None for no clipping.

    Examples
    --------
    >>> from edge import FrontEnd
    >>> FrontEnd(hop_length=1024).frame_count(22_050)
    20
    """

    sample_rate: int = 22_050
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    n_mfcc: int = 20
    f_min: float = 0.0
    f_max: float = 11_025.0
    center: bool = False
    top_db: float | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for settings that are out of range."""
        if not 1 <= self.hop_length <= self.n_fft <= 1 << 16:
            raise ValueError(f"hop_length {self.hop_length} and n_fft {self.n_fft} need 1 <= hop <= n_fft <= 65536")
        if not 1 <= self.n_mfcc <= self.n_mels <= 1024:
            raise ValueError(f"n_mfcc {self.n_mfcc} and n_mels {self.n_mels} need 1 <= n_mfcc <= n_mels <= 1024")
        if not 1000 <= self.sample_rate <= 384_000:
            raise ValueError(f"sample_rate {self.sample_rate} is outside 1000..384000 Hz")
        if not 0 <= self.f_min < self.f_max <= self.sample_rate / 2:
            raise ValueError(f"f_min {self.f_min} and f_max {self.f_max} need 0 <= f_min < f_max <= sample_rate / 2")
        if self.top_db is not None and not self.top_db > 0:
            raise ValueError(f"top_db {self.top_db} must be above 0")

    @property
    def streamable(self) -> bool:
        """True if a frame depends only on its own samples."""
        return not self.center and self.top_db is None

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.sample_rate / self.hop_length

    def frame_count(self, samples: int) -> int:
        """Number of frames in a clip of `samples` samples."""
        padded = samples + 2 * (self.n_fft // 2) * self.center
        return max(0, 1 + (padded - self.n_fft) // self.hop_length)


def hz_to_mel(hz: DoubleArray | float) -> DoubleArray:
    """Convert Hz to mel on Slaney's scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above."""
    hz = np.asarray(hz, dtype=np.float64)
    mel: DoubleArray = np.where(hz < 1000, hz * 3 / 200, 15 + 27 * np.log(np.maximum(hz, 1000) / 1000) / np.log(6.4))
    return mel


def mel_to_hz(mel: DoubleArray) -> DoubleArray:
    """Convert mel to Hz, the inverse of `hz_to_mel`."""
    hz: DoubleArray = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(np.log(6.4) * (np.maximum(mel, 15) - 15) / 27))
    return hz


def mel_filters(front_end: FrontEnd) -> DoubleArray:
    """Triangular mel filters of unit area, (n_mels, n_fft // 2 + 1), as `librosa.filters.mel` with Slaney's norm."""
    bins = np.fft.rfftfreq(front_end.n_fft, 1 / front_end.sample_rate)
    ends = hz_to_mel(np.array([front_end.f_min, front_end.f_max]))
    edges = mel_to_hz(np.linspace(ends[0], ends[1], front_end.n_mels + 2))
    width = np.diff(edges)
    rising = (bins - edges[:-2, None]) / width[:-1, None]
    falling = (edges[2:, None] - bins) / width[1:, None]
    height = 2 / (edges[2:] - edges[:-2])
    filters: DoubleArray = np.maximum(0, np.minimum(rising, falling)) * height[:, None]
    return filters


def dct_basis(n_mfcc: int, n_mels: int) -> DoubleArray:
    """Orthonormal DCT-II (scipy.fft.dct, norm="ortho") as a matrix: (n_mels, n_mfcc)."""
    k, n = np.arange(n_mfcc), np.arange(n_mels)
    basis: DoubleArray = np.sqrt(2 / n_mels) * np.cos(np.pi * k * (2 * n[:, None] + 1) / (2 * n_mels))
    basis[:, 0] = np.sqrt(1 / n_mels)
    return basis


class MelProduct:
    """Multiplication by `mel_filters` without most of their zeros: each group of filters uses only its own bins."""

    def __init__(self, front_end: FrontEnd) -> None:
        filters = mel_filters(front_end)
        self._n_mels = front_end.n_mels
        self._groups = []
        for first in range(0, self._n_mels, GROUP_FILTERS):
            bands = slice(first, first + GROUP_FILTERS)
            covered = np.flatnonzero(filters[bands].any(axis=0))
            bins = slice(covered[0], covered[-1] + 1) if len(covered) else slice(0, 0)  # filters narrower than a bin
            self._groups.append((bins, bands, np.ascontiguousarray(filters[bands, bins].T, np.float32)))

    def __call__(self, power: FloatArray) -> FloatArray:
        """(frames, n_fft // 2 + 1) power → (frames, n_mels)."""
        mel = np.empty((len(power), self._n_mels), np.float32)
        for bins, bands, weights in self._groups:
            np.matmul(power[:, bins], weights, out=mel[:, bands])
        return mel


class MfccComputer:
    """Computes MFCCs of frames with precomputed tables. It ignores `center` and `top_db`, which `mfcc` applies."""

    def __init__(self, front_end: FrontEnd) -> None:
        self._n_mels = front_end.n_mels
        # Periodic Hann: one period of the cosine over n_fft samples (scipy.signal.get_window, fftbins=True).
        self._window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(front_end.n_fft) / front_end.n_fft)
        self._mel_product = MelProduct(front_end)
        self._dct = dct_basis(front_end.n_mfcc, front_end.n_mels)  # in single precision the sum errs by 1e-3 dB

    def log_mel(self, frames: FloatArray) -> FloatArray:
        """Mel power in dB (re 1.0): (frames, n_fft) samples → (frames, n_mels)."""
        decibels = np.empty((len(frames), self._n_mels), np.float32)
        for first in range(0, len(frames), BATCH_FRAMES):
            decibels[first : first + BATCH_FRAMES] = self._log_mel(frames[first : first + BATCH_FRAMES])
        return decibels

    def cepstrum(self, log_mel: FloatArray) -> FloatArray:
        """MFCCs of mel power in dB: (frames, n_mels) → (frames, n_mfcc)."""
        return (log_mel @ self._dct).astype(np.float32)

    def _log_mel(self, frames: FloatArray) -> FloatArray:
        # Single precision loses what is 100 dB below the loudest bin, and errs by 6e-3 dB on music.
        spectrum = np.fft.rfft(frames * self._window)
        power = np.empty(spectrum.shape, np.float32)
        np.add(spectrum.real**2, spectrum.imag**2, out=power, casting="same_kind")
        mel = self._mel_product(power)
        np.log(np.maximum(mel, AMIN, out=mel), out=mel)
        mel *= DECIBELS
        return mel


def split_frames(samples: FloatArray, front_end: FrontEnd) -> FloatArray:
    """Overlapping frames of (n,) samples, (frames, n_fft), as a view without a copy."""
    if len(samples) < front_end.n_fft:
        return np.empty((0, front_end.n_fft), np.float32)
    samples = np.ascontiguousarray(samples, np.float32)
    shape = 1 + (len(samples) - front_end.n_fft) // front_end.hop_length, front_end.n_fft
    # As numpy's sliding_window_view in a tenth of its time; numpy checks that the strides stay inside the array.
    return np.ndarray(shape, np.float32, samples, strides=(4 * front_end.hop_length, 4))


def mfcc(samples: FloatArray, front_end: FrontEnd, computer: MfccComputer | None = None) -> FloatArray:
    """MFCCs of a whole clip.

    Parameters
    ----------
    samples
        (n,) samples in -1..1 at the front end's rate.
    front_end
        Settings; `center` and `top_db` are applied.
    computer
        Precomputed tables of this front end, to save their computation.

    Returns
    -------
    (frames, n_mfcc) MFCCs in dB, equal to `librosa.feature.mfcc(...).T` within 1e-3 dB.

    Examples
    --------
    >>> import numpy as np
    >>> from edge import FrontEnd, mfcc
    >>> mfcc(np.zeros(22_050, np.float32), FrontEnd(n_mfcc=13)).shape
    (40, 13)
    """
    computer = computer or MfccComputer(front_end)
    if front_end.center:
        samples = np.pad(samples, front_end.n_fft // 2)
    log_mel = computer.log_mel(split_frames(samples, front_end))
    if front_end.top_db is not None and len(log_mel):
        log_mel = np.maximum(log_mel, log_mel.max() - front_end.top_db)
    return computer.cepstrum(log_mel)
