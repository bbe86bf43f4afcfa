"""Simulation of music that is played in a room and recorded by a cheap USB microphone.

A shoebox room by the image-source method (Allen and Berkley 1979), noise, the frequency band and gain of the
microphone, and a converter that clips.
"""

import numpy as np
import pyroomacoustics
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import butter, oaconvolve, sosfilt

from edge.arrays import DoubleArray, FloatArray

RATE = 48_000  # Hz, the usual rate of USB microphones
MIN_ROOM, MAX_ROOM = (3.5, 3.0, 2.4), (12.0, 9.0, 4.0)  # metres: a living room, a small hall
SABINE_RT60 = (0.22, 0.6)  # seconds; nine in ten of the resulting responses decay by 60 dB in 0.2 to 0.8 s
MAX_ORDER = 70  # of a reflection: the cost grows with its cube, and what is left out is at least 30 dB down
WALL_DISTANCE = 0.4  # metres, minimum for source and microphone
DISTANCE = (1.0, 4.0)  # metres between source and microphone
LOW_CUT, HIGH_CUT = (100.0, 150.0), (7000.0, 9000.0)  # Hz, ranges of the edges of the microphone's band
FILTER_ORDER = 2
GAIN_DB = 12.0  # maximum change of level, up or down


def in_room(samples: FloatArray, snr_db: float, rng: np.random.Generator) -> FloatArray:
    """Simulate a recording in a random room.

    Parameters
    ----------
    samples
        Music at RATE, (n,).
    snr_db
        Signal-to-noise ratio in the microphone's band, in dB.
    rng
        Draws the room, the places, the band, the noise and the gain.

    Returns
    -------
    ndarray of float32, (n,)
        At RATE, in -1..1; its level is that of `samples` up to ±GAIN_DB.
    """
    microphone = microphone_band(rng)
    music = sosfilt(microphone, oaconvolve(samples, impulse_response(rng))[: len(samples)])
    noise = sosfilt(microphone, coloured_noise(len(samples), rng))
    music *= rms(samples) / (rms(music) or 1.0)
    noise *= rms(music) / rms(noise) * 10 ** (-snr_db / 20)
    gain = 10 ** (rng.uniform(-GAIN_DB, GAIN_DB) / 20)
    recorded: FloatArray = np.clip(gain * (music + noise), -1.0, 1.0).astype(np.float32)
    return recorded


def impulse_response(rng: np.random.Generator) -> DoubleArray:
    """Impulse response at RATE between two random places in a random room: (n,)."""
    size = rng.uniform(MIN_ROOM, MAX_ROOM)
    absorption, order = pyroomacoustics.inverse_sabine(rng.uniform(*SABINE_RT60), size)
    room = pyroomacoustics.ShoeBox(
        size, fs=RATE, materials=pyroomacoustics.Material(absorption), max_order=min(order, MAX_ORDER)
    )
    source, microphone = random_places(size, rng)
    room.add_source(source)
    room.add_microphone(microphone)
    room.compute_rir()
    response: DoubleArray = room.rir[0][0]
    return response


def random_places(size: DoubleArray, rng: np.random.Generator) -> tuple[DoubleArray, DoubleArray]:
    """Places of a source and a microphone in a room of (3,) metres, with a distance within DISTANCE: (3,) each."""
    while True:
        places = rng.uniform(WALL_DISTANCE, size - WALL_DISTANCE, (2, 3))
        if DISTANCE[0] <= np.linalg.norm(places[0] - places[1]) <= DISTANCE[1]:
            return places[0], places[1]


def microphone_band(rng: np.random.Generator) -> DoubleArray:
    """Second-order sections of a Butterworth high-pass and low-pass, the band of a microphone: (sections, 6)."""
    low = butter(FILTER_ORDER, rng.uniform(*LOW_CUT), "highpass", fs=RATE, output="sos")
    high = butter(FILTER_ORDER, rng.uniform(*HIGH_CUT), "lowpass", fs=RATE, output="sos")
    sections: DoubleArray = np.concatenate([low, high])
    return sections


def coloured_noise(length: int, rng: np.random.Generator) -> DoubleArray:
    """Mixture of white and pink noise of equal power in random proportion: (length,)."""
    fft_length = next_fast_len(length, real=True)  # a prime length takes ten times as long
    white = rng.normal(size=fft_length)
    spectrum = rfft(rng.normal(size=fft_length))
    pink = irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), fft_length)  # power ∝ 1 / frequency
    share = rng.uniform()
    noise: DoubleArray = (np.sqrt(share) * white + np.sqrt(1 - share) * pink / rms(pink))[:length]
    return noise


def rms(samples: FloatArray | DoubleArray) -> float:
    """Root mean square of (n,) samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
