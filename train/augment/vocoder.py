"""Audio as it sounds after a round trip through a log-mel spectrogram and Griffin-Lim.

A corpus may contain such reconstructions in place of recordings. If only some classes have them, a network learns the
vocoder instead of the music. Vocoded copies of the other clips prevent that.
"""

import librosa
import numpy as np

from edge.arrays import FloatArray

RECONSTRUCTED = "reconstructed"  # the source that lists name for such clips
METHOD = "mel 128, hop 1024, pseudo-inverse, Griffin-Lim 16"  # part of cache names: change it with the code
N_FFT, HOP, N_MELS = 2048, 1024, 128
DYNAMIC_RANGE = 1e8  # of power, as librosa.power_to_db limits it to 80 dB
ITERATIONS, MOMENTUM = 16, 0.99  # fast Griffin-Lim (Perraudin, Balazs and Søndergaard 2013)
PEAK = 0.8  # amplitude of a reconstruction


def vocode(samples: FloatArray, sample_rate: int) -> FloatArray:
    """Reconstruct audio from its mel spectrogram: (n,) samples → (n,) float32 with peak PEAK and an invented phase.

    The mel filters are inverted by their pseudo-inverse. That is four times as fast as the non-negative least squares
    of `librosa.feature.inverse.mel_to_audio`, and as similar to GTZAN's reconstructions (train/EXPERIMENTS.md).
    """
    filters = librosa.filters.mel(sr=sample_rate, n_fft=N_FFT, n_mels=N_MELS)
    mel = filters @ np.abs(librosa.stft(samples, n_fft=N_FFT, hop_length=HOP)) ** 2
    power = np.linalg.pinv(filters) @ np.maximum(mel, mel.max() / DYNAMIC_RANGE)
    sound = librosa.griffinlim(
        np.sqrt(np.maximum(power, 0)),
        n_iter=ITERATIONS,
        hop_length=HOP,
        n_fft=N_FFT,
        momentum=MOMENTUM,
        length=len(samples),
        random_state=0,
    )
    loudest = np.abs(sound).max()
    vocoded: FloatArray = (sound * (PEAK / loudest if loudest > 0 else 1.0)).astype(np.float32)
    return vocoded
