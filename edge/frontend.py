"""The features: the numbers that define them, and the computer that turns samples into MFCCs.

librosa's MFCC without librosa: `librosa.feature.mfcc` is followed to 1e-3 dB (tests/edge/test_frontend.py).
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]

AMIN = 1e-10  # power floor of librosa.power_to_db: -100 dB


@dataclass(frozen=True)
class FrontEnd:
    """What defines the MFCCs of a model. Frequencies in Hz, lengths in samples."""

    sample_rate: int = 22_050
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    n_mfcc: int = 20
    f_min: float = 0.0
    f_max: float = 11_025.0
    center: bool = False  # pad half a window on both sides: looks n_fft / 2 samples into the future
    top_db: float | None = None  # clip this far below the loudest moment, which a stream can't know

    def __post_init__(self) -> None:
        """Raise ValueError for settings that describe no front end."""
        if not 1 <= self.hop_length <= self.n_fft <= 1 << 16:
            raise ValueError(f"hop_length {self.hop_length} and n_fft {self.n_fft} need 1 <= hop <= n_fft <= 65536")
        if not 1 <= self.n_mfcc <= self.n_mels <= 1024:
            raise ValueError(f"n_mfcc {self.n_mfcc} and n_mels {self.n_mels} need 1 <= n_mfcc <= n_mels <= 1024")
        if not 1000 <= self.sample_rate <= 384_000:
            raise ValueError(f"sample_rate {self.sample_rate} is outside 1000..384000 Hz")
        if not 0 <= self.f_min < self.f_max <= self.sample_rate / 2:
            raise ValueError(f"f_min {self.f_min} and f_max {self.f_max} need 0 <= f_min < f_max <= sample_rate / 2")
        if self.top_db is not None and not self.top_db > 0:
            raise ValueError(f"top_db {self.top_db} is not above 0")

    @property
    def streamable(self) -> bool:
        """Whether a frame depends on its own samples only."""
        return not self.center and self.top_db is None

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.sample_rate / self.hop_length

    def frame_count(self, samples: int) -> int:
        """Frames that `samples` samples hold."""
        padded = samples + 2 * (self.n_fft // 2) * self.center
        return max(0, 1 + (padded - self.n_fft) // self.hop_length)


def hz_to_mel(hz: DoubleArray | float) -> DoubleArray:
    """Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above."""
    hz = np.asarray(hz, dtype=np.float64)
    mel: DoubleArray = np.where(hz < 1000, hz * 3 / 200, 15 + 27 * np.log(np.maximum(hz, 1000) / 1000) / np.log(6.4))
    return mel


def mel_to_hz(mel: DoubleArray) -> DoubleArray:
    """Inverse of `hz_to_mel`."""
    hz: DoubleArray = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(np.log(6.4) * (np.maximum(mel, 15) - 15) / 27))
    return hz


def mel_filters(front_end: FrontEnd) -> DoubleArray:
    """Triangular mel filters of unit area (librosa.filters.mel, Slaney norm): (n_mels, n_fft // 2 + 1)."""
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


class MfccComputer:
    """Turns frames of samples into MFCCs; its tables are made once.

    `center` and `top_db` need a whole clip and are the business of `mfcc`.
    """

    def __init__(self, front_end: FrontEnd) -> None:
        self._n_fft = front_end.n_fft
        # Periodic Hann: one period of the cosine over n_fft samples (scipy.signal.get_window, fftbins=True).
        self._window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(front_end.n_fft) / front_end.n_fft)
        self._mel = np.ascontiguousarray(mel_filters(front_end).T)
        self._dct = dct_basis(front_end.n_mfcc, front_end.n_mels)

    def log_mel(self, frames: FloatArray) -> DoubleArray:
        """Mel power in dB (re 1.0): (frames, n_fft) samples → (frames, n_mels)."""
        spectrum = np.fft.rfft(frames * self._window)
        power = spectrum.real**2 + spectrum.imag**2
        decibels: DoubleArray = 10 * np.log10(np.maximum(power @ self._mel, AMIN))
        return decibels

    def cepstrum(self, log_mel: DoubleArray) -> FloatArray:
        """MFCCs of mel power in dB: (frames, n_mels) → (frames, n_mfcc)."""
        return (log_mel @ self._dct).astype(np.float32)


def split_frames(samples: FloatArray, front_end: FrontEnd) -> FloatArray:
    """The overlapping frames of (n,) samples as a view: (frames, n_fft)."""
    if len(samples) < front_end.n_fft:
        return np.empty((0, front_end.n_fft), np.float32)
    return sliding_window_view(samples, front_end.n_fft)[:: front_end.hop_length]


def mfcc(samples: FloatArray, front_end: FrontEnd, computer: MfccComputer | None = None) -> FloatArray:
    """MFCCs of a whole clip, with `center` and `top_db` obeyed: (n,) samples → (frames, n_mfcc)."""
    computer = computer or MfccComputer(front_end)
    if front_end.center:
        samples = np.pad(samples, front_end.n_fft // 2)
    log_mel = computer.log_mel(split_frames(samples, front_end))
    if front_end.top_db is not None and len(log_mel):
        log_mel = np.maximum(log_mel, log_mel.max() - front_end.top_db)
    return computer.cepstrum(log_mel)
