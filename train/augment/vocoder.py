"""The sound of a reconstruction: audio that went through a log-mel array and came back by Griffin-Lim.

A corpus may hold such clips in place of recordings. Where they stand for some classes and not for others, a network
learns the vocoder instead of the music; copies of the other clips, made the same way, take that way out.
"""

import librosa
import numpy as np

from edge.frontend import FloatArray

RECONSTRUCTED = "reconstructed"  # the source that lists give to such clips
METHOD = "mel 128, hop 1024, pseudo-inverse, Griffin-Lim 16"  # part of a cache entry's name: change it with the code
N_FFT, HOP, N_MELS = 2048, 1024, 128
DYNAMIC_RANGE = 1e8  # of the array's power: librosa.power_to_db keeps 80 dB
ITERATIONS, MOMENTUM = 16, 0.99  # fast Griffin-Lim (Perraudin, Balazs and Søndergaard 2013)
PEAK = 0.8  # of a reconstruction's samples


def vocode(samples: FloatArray, sample_rate: int) -> FloatArray:
    """The same music as a reconstruction has it: (n,) samples → (n,), its level and phase invented.

    The mel filters are turned back by their pseudo-inverse: four times as fast as the non-negative least squares of
    `librosa.feature.inverse.mel_to_audio`, and as near to GTZAN's reconstructions (train/EXPERIMENTS.md).
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
    return (sound * (PEAK / loudest if loudest > 0 else 1.0)).astype(np.float32)
