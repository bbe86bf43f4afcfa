"""Music as a cheap USB microphone in a room hears it, simulated.

A shoebox room by the image-source method (Allen and Berkley 1979), noise at the microphone, the microphone's band, its
gain, and a converter that clips.
"""

import numpy as np
import pyroomacoustics
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import butter, oaconvolve, sosfilt

from edge.frontend import FloatArray

RATE = 48_000  # Hz, what USB microphones deliver
LEAST_ROOM, GREATEST_ROOM = (3.5, 3.0, 2.4), (12.0, 9.0, 4.0)  # metres: a living room, a small hall
SABINE_RT60 = (0.22, 0.6)  # seconds; of the responses made nine in ten decay by 60 dB in 0.2 to 0.8
HIGHEST_ORDER = 70  # of a reflection: the cost grows with its cube, and what is left out has lost 30 dB at least
FROM_WALLS = 0.4  # metres that the source and the microphone keep from them
DISTANCE = (1.0, 4.0)  # metres between the two
LOW_CUT, HIGH_CUT = (100.0, 150.0), (7000.0, 9000.0)  # Hz, the ends of the microphone's band
FILTER_ORDER = 2
GAIN_DB = 12.0  # up or down at most


def in_room(samples: FloatArray, snr_db: float, rng: np.random.Generator) -> FloatArray:
    """What a microphone hears of (n,) samples at RATE: (n,) at RATE, in -1..1.

    Its level is the samples' own, up to GAIN_DB louder or softer. `snr_db` is in the microphone's band.
    """
    microphone = band(rng)
    music = sosfilt(microphone, oaconvolve(samples, impulse_response(rng))[: len(samples)])
    noise = sosfilt(microphone, coloured_noise(len(samples), rng))
    music *= rms(samples) / (rms(music) or 1.0)
    noise *= rms(music) / rms(noise) * 10 ** (-snr_db / 20)
    gain = 10 ** (rng.uniform(-GAIN_DB, GAIN_DB) / 20)
    heard: FloatArray = np.clip(gain * (music + noise), -1.0, 1.0).astype(np.float32)
    return heard


def impulse_response(rng: np.random.Generator) -> FloatArray:
    """From a random place in a random room to another one, at RATE: (n,)."""
    size = rng.uniform(LEAST_ROOM, GREATEST_ROOM)
    absorption, order = pyroomacoustics.inverse_sabine(rng.uniform(*SABINE_RT60), size)
    room = pyroomacoustics.ShoeBox(
        size, fs=RATE, materials=pyroomacoustics.Material(absorption), max_order=min(order, HIGHEST_ORDER)
    )
    source, microphone = two_places(size, rng)
    room.add_source(source)
    room.add_microphone(microphone)
    room.compute_rir()
    response: FloatArray = room.rir[0][0]
    return response


def two_places(size: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """A source's and a microphone's place in a room of (3,) metres, as far apart as DISTANCE allows: (3,) each."""
    while True:
        places = rng.uniform(FROM_WALLS, size - FROM_WALLS, (2, 3))
        if DISTANCE[0] <= np.linalg.norm(places[0] - places[1]) <= DISTANCE[1]:
            return places[0], places[1]


def band(rng: np.random.Generator) -> FloatArray:
    """The second-order sections of a microphone's band: Butterworth high-pass and low-pass, (sections, 6)."""
    low = butter(FILTER_ORDER, rng.uniform(*LOW_CUT), "highpass", fs=RATE, output="sos")
    high = butter(FILTER_ORDER, rng.uniform(*HIGH_CUT), "lowpass", fs=RATE, output="sos")
    sections: FloatArray = np.concatenate([low, high])
    return sections


def coloured_noise(length: int, rng: np.random.Generator) -> FloatArray:
    """White and pink noise of equal power, in a random proportion: (length,)."""
    quick = next_fast_len(length, real=True)  # a length that is a prime costs ten times as much
    white = rng.normal(size=quick)
    spectrum = rfft(rng.normal(size=quick))
    pink = irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), quick)  # power falls with frequency
    share = rng.uniform()
    noise: FloatArray = (np.sqrt(share) * white + np.sqrt(1 - share) * pink / rms(pink))[:length]
    return noise


def rms(samples: FloatArray) -> float:
    """Root mean square of (n,) samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
