"""Random levels, microphones and rooms for training crops, applied to the power of the mel bands.

There a gain and a band limit are products, noise is a sum, and late reverberation is an exponential decay of each
band's power over time (Polack's model, as in Habets 2007), so no audio has to be rendered again.
"""

import numpy as np

from edge.arrays import DoubleArray, FloatArray
from edge.features.mfcc import AMIN, FrontEnd, hz_to_mel, mel_to_hz
from train.recipes import Augmentation

NEPERS = float(np.log(10) / 10)  # per decibel of power
MIN_ECHO = 2e-3  # of the direct sound; quieter echoes are not computed
NOISE_DRAWS = 4096  # size of the table of frame powers of noise
NOISE_FREEDOM = 6  # degrees of freedom of the chi-square distribution of a band's noise power


class MelAugmenter:
    """Apply random augmentations to log-mel crops.

    Parameters
    ----------
    settings
        Ranges and shares of the augmentations.
    front_end
        Front end of the crops; its mel bands and frame rate are used.
    """

    def __init__(self, settings: Augmentation, front_end: FrontEnd) -> None:
        self._settings, self._frame_rate = settings, front_end.frame_rate
        ends = hz_to_mel(np.array([front_end.f_min, front_end.f_max]))
        self._centres = mel_to_hz(np.linspace(ends[0], ends[1], front_end.n_mels + 2))[1:-1]
        place = (np.arange(front_end.n_mels) + 0.5) / front_end.n_mels
        self._cosines = np.cos(np.pi * np.arange(1, settings.eq_terms + 1)[:, None] * place)
        noise = np.random.default_rng(0).chisquare(NOISE_FREEDOM, NOISE_DRAWS) / NOISE_FREEDOM
        self._noise = noise.astype(np.float32)

    def augment(self, log_mel: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Augment each of (n, frames, n_mels) crops in dB on its own: an array of the same shape, float32."""
        power = np.exp(log_mel * np.float32(NEPERS))
        for crop in power:
            if rng.random() < self._settings.share:
                self._reverberate(crop, rng)
            if rng.random() < self._settings.overdriven_share:
                self._overdrive(crop, rng)
        power += self._noise_floor(power, rng)[:, None] * rng.choice(self._noise, size=(1, *power.shape[1:]))
        power *= self._colour(len(power), rng)[:, None]
        decibels: FloatArray = np.log(power + np.float32(AMIN)) / np.float32(NEPERS)
        return decibels

    def _reverberate(self, power: FloatArray, rng: np.random.Generator) -> None:
        """Add exponentially decaying echoes to (frames, n_mels) of power, in place."""
        seconds = rng.uniform(*self._settings.reverberation_seconds)
        wet = rng.uniform(*self._settings.wet_share)
        frames = np.arange(1, round(seconds * self._frame_rate) + 2)
        echoes = np.exp(-np.log(1e6) * frames / self._frame_rate / seconds)
        echoes *= wet / echoes.sum()
        direct = power.copy()
        power *= np.float32(1 - wet)
        for delay, echo in zip(frames, echoes.astype(np.float32), strict=True):
            if echo < MIN_ECHO:
                break
            power[delay:] += echo * direct[:-delay]

    def _overdrive(self, power: FloatArray, rng: np.random.Generator) -> None:
        """Add clipping distortion to (frames, n_mels), in place: over all bands, proportional to the frame's power."""
        spread = np.exp(-rng.uniform(*self._settings.overdrive_db) * NEPERS) * self._slope(1, rng)
        power += power.mean(axis=1, keepdims=True) * spread.astype(np.float32)

    def _slope(self, count: int, rng: np.random.Generator) -> DoubleArray:
        """Spectra between white and pink, of mean 1: (count, n_mels)."""
        slope = rng.uniform(-6, 0, (count, 1))  # dB per octave, of the power of a mel band
        shape = (self._centres / 1000) ** (slope / (10 * np.log10(2)))
        spectra: DoubleArray = shape / shape.mean(axis=1, keepdims=True)
        return spectra

    def _noise_floor(self, power: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Noise power between white and pink for a share of (n, frames, n_mels) crops: (n, n_mels)."""
        count = len(power)
        snr = rng.uniform(*self._settings.snr_db, count)
        level = power.mean(axis=(1, 2)) * np.exp(-snr * NEPERS) * (rng.random(count) < self._settings.share)
        floor: FloatArray = (level[:, None] * self._slope(count, rng)).astype(np.float32)
        return floor

    def _colour(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Power factors (count, n_mels): gain, a smooth equaliser, and in a share of rows a microphone's band."""
        settings = self._settings
        decibels = rng.uniform(-settings.gain_db, settings.gain_db, (count, 1))
        weights = settings.eq_db / np.arange(1, settings.eq_terms + 1)
        decibels = decibels + rng.normal(0, weights, (count, settings.eq_terms)) @ self._cosines
        low, high = (rng.uniform(*edges, (count, 1)) for edges in (settings.low_hz, settings.high_hz))
        order = rng.integers(1, 4, (count, 1))  # of a Butterworth filter
        power = 1 / (1 + (low / self._centres) ** (2 * order)) / (1 + (self._centres / high) ** (2 * order))
        power = np.where(rng.random((count, 1)) < settings.share, power, 1.0)
        coloured: FloatArray = (power * np.exp(decibels * NEPERS)).astype(np.float32)
        return coloured
