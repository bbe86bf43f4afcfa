"""Programs that people run instead of this package: a model of `edge` with one part exchanged for theirs.

All of them get the same audio through the same resampler and end in the same decision, and the same stopwatches time
their stages. The window networks are untrained (benchmarks.cost.window_networks): their cost doesn't depend on their
weights.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.arrays import FloatArray
from edge.benchmark.measurement import RUNTIME_THREADS
from edge.errors import UsageError
from edge.features.mfcc import AMIN, FrontEnd, mel_filters, split_frames
from edge.features.stream import MfccStream
from edge.model.card import Card
from edge.model.load import SHIPPED_MODEL, load_model
from edge.model.model import Model
from edge.model.runtime import Network
from edge.model.streaming import StreamModel
from edge.model.window import WindowModel

WINDOW_TFLITE, WINDOW_ONNX = "window.tflite", "window.onnx"  # written by benchmarks.cost.window_networks
WINDOW_SECONDS = 3.0  # of audio that librosa computes again for each hop


class LibrosaWindows(WindowModel):
    """The loop of the usual example: librosa's features of the whole window for each hop."""

    def features(self, window: FloatArray) -> FloatArray:
        """(window_samples,) samples → (frames, n_mfcc)."""
        return librosa_mfcc(window, self.card.front_end)


class ScipyWindows(WindowModel):
    """The same features by numpy and scipy, for devices where librosa is too heavy."""

    def __init__(self, card: Card, network: Network) -> None:
        front_end = card.front_end
        self._hann = np.hanning(front_end.n_fft + 1)[:-1].astype(np.float32)
        self._mel = mel_filters(front_end).T.astype(np.float32)
        super().__init__(card, network)

    def features(self, window: FloatArray) -> FloatArray:
        """(window_samples,) samples → (frames, n_mfcc)."""
        import scipy.fft

        front_end = self.card.front_end
        frames = split_frames(np.pad(window, front_end.n_fft // 2), front_end)
        power = np.abs(scipy.fft.rfft(frames * self._hann)) ** 2
        decibels = 10 * np.log10(np.maximum(power @ self._mel, AMIN))
        if front_end.top_db is not None:
            decibels = np.maximum(decibels, decibels.max() - front_end.top_db)
        mfccs: FloatArray = scipy.fft.dct(decibels, norm="ortho")[:, : front_end.n_mfcc]
        return mfccs


class LibrosaEachHop:
    """librosa on the last WINDOW_SECONDS of a stream for each hop; only the frames that are new are returned."""

    def __init__(self, front_end: FrontEnd) -> None:
        self._front_end = front_end
        self.reset()

    def reset(self) -> None:
        """Drop the samples of the window."""
        self._window = np.empty(0, np.float32)
        self._returned = 0

    def accept(self, samples: FloatArray) -> FloatArray:
        """(n,) samples → the frames that they complete: (frames, n_mfcc)."""
        self._window = np.concatenate([self._window, samples])
        if len(self._window) < self._front_end.n_fft:
            return np.empty((0, self._front_end.n_mfcc), np.float32)
        features = librosa_mfcc(self._window, self._front_end)[self._returned :]
        hop = self._front_end.hop_length
        whole = self._front_end.frame_count(len(self._window))
        keep = min(whole, round(WINDOW_SECONDS * self._front_end.frame_rate))
        self._window = self._window[(whole - keep) * hop :]
        self._returned = keep
        return features


class KaldiStream:
    """Kaldi's online MFCC, in C++, with the settings of a front end."""

    def __init__(self, front_end: FrontEnd) -> None:
        self._front_end = front_end
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        from kaldi_native_fbank import MfccOptions, OnlineMfcc

        options = MfccOptions()
        frame, mel = options.frame_opts, options.mel_opts
        frame.samp_freq, frame.dither, frame.window_type = self._front_end.sample_rate, 0.0, "hanning"
        frame.preemph_coeff, frame.remove_dc_offset = 0.0, False
        # Kaldi truncates lengths to whole samples: half a sample more keeps the intended number.
        frame.frame_length_ms = (self._front_end.n_fft + 0.5) / self._front_end.sample_rate * 1000
        frame.frame_shift_ms = (self._front_end.hop_length + 0.5) / self._front_end.sample_rate * 1000
        mel.num_bins, mel.low_freq, mel.high_freq = self._front_end.n_mels, self._front_end.f_min, self._front_end.f_max
        options.num_ceps, options.use_energy = self._front_end.n_mfcc, False
        self._online = OnlineMfcc(options)
        self._returned = 0

    def accept(self, samples: FloatArray) -> FloatArray:
        """(n,) samples → the frames that they complete: (frames, n_mfcc)."""
        self._online.accept_waveform(self._front_end.sample_rate, samples.tolist())
        ready = self._online.num_frames_ready
        views = [self._online.get_frame(i) for i in range(self._returned, ready)]
        frames = np.array(views, np.float32).reshape(-1, self._front_end.n_mfcc)
        self._online.pop(ready - self._returned)  # invalidates the views
        self._returned = ready
        return frames


class EssentiaStream(MfccStream):
    """Essentia's algorithms, in C++, frame by frame."""

    def __init__(self, front_end: FrontEnd) -> None:
        import essentia

        essentia.log.infoActive = essentia.log.warningActive = False
        from essentia.standard import MFCC, Spectrum, Windowing

        self._n_mfcc = front_end.n_mfcc
        self._window = Windowing(type="hann", size=front_end.n_fft, normalized=False, zeroPhase=False)
        self._spectrum = Spectrum(size=front_end.n_fft)
        self._mfcc = MFCC(
            inputSize=front_end.n_fft // 2 + 1,
            sampleRate=front_end.sample_rate,
            numberBands=front_end.n_mels,
            numberCoefficients=front_end.n_mfcc,
            lowFrequencyBound=front_end.f_min,
            highFrequencyBound=front_end.f_max,
            type="power",
            logType="dbpow",
        )
        super().__init__(front_end)

    def features(self, frames: FloatArray) -> FloatArray:
        """(frames, n_fft) samples → (frames, n_mfcc)."""
        mfccs = [self._mfcc(self._spectrum(self._window(frame)))[1] for frame in frames]
        return np.array(mfccs, np.float32).reshape(-1, self._n_mfcc)


@dataclass(frozen=True)
class Competitor:
    """One competitor. `model_of` takes the folder of the window networks."""

    name: str
    needs: tuple[str, ...]  # packages, by import name
    front_end_only: bool  # the network is the shipped one, on features that it was not trained on
    model_of: Callable[[Path], Model]

    @property
    def missing(self) -> list[str]:
        """Packages that are not installed on this machine."""
        return [package for package in self.needs if importlib.util.find_spec(package) is None]


def competitor(name: str) -> Competitor:
    """Return the competitor with a name.

    Raises
    ------
    UsageError
        If there is none; the message has the names that exist.
    """
    for each in COMPETITORS:
        if each.name == name:
            return each
    raise UsageError(f"--competitor {name}: not found; known: {', '.join(each.name for each in COMPETITORS)}")


def librosa_mfcc(samples: FloatArray, front_end: FrontEnd) -> FloatArray:
    """librosa's MFCCs, clipped 80 dB below the loudest moment: (n,) samples → (frames, n_mfcc)."""
    import librosa

    mfccs: FloatArray = librosa.feature.mfcc(
        y=samples,
        sr=front_end.sample_rate,
        n_mfcc=front_end.n_mfcc,
        n_fft=front_end.n_fft,
        hop_length=front_end.hop_length,
        n_mels=front_end.n_mels,
        fmin=front_end.f_min,
        fmax=front_end.f_max,
        center=front_end.center,
    ).T
    return mfccs


def _windows(kind: type[WindowModel], file: str) -> Callable[[Path], Model]:
    def model_of(folder: Path) -> Model:
        model = load_model(folder / file, RUNTIME_THREADS)
        return kind(model.card, model.network)

    return model_of


def _shipped_on(stream: type) -> Callable[[Path], Model]:
    def model_of(_: Path) -> Model:
        model = load_model(SHIPPED_MODEL, RUNTIME_THREADS)
        assert isinstance(model, StreamModel)  # the shipped one is
        model.stream = stream(model.card.front_end)
        return model

    return model_of


COMPETITORS = (
    Competitor("librosa + TFLite", ("librosa", "tensorflow"), False, _windows(LibrosaWindows, WINDOW_TFLITE)),
    Competitor("scipy + ONNX Runtime", ("scipy", "onnxruntime", "tf2onnx"), False, _windows(ScipyWindows, WINDOW_ONNX)),
    Competitor("librosa front end", ("librosa",), True, _shipped_on(LibrosaEachHop)),
    Competitor("kaldi-native-fbank", ("kaldi_native_fbank",), True, _shipped_on(KaldiStream)),
    Competitor("essentia", ("essentia",), True, _shipped_on(EssentiaStream)),
)
