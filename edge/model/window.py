"""A model that hears a window of a few seconds, computed anew for each answer."""

import numpy as np

from edge.arrays import FloatArray
from edge.features.mfcc import MfccComputer, mfcc
from edge.model.card import Card
from edge.model.model import Model
from edge.model.runtime import Network


class WindowModel(Model):
    """Keeps the samples of the last window and nothing else."""

    def __init__(self, card: Card, network: Network) -> None:
        super().__init__(card, network)
        self._computer = MfccComputer(card.front_end)
        self._samples = np.empty(0, np.float32)

    def reset(self) -> None:
        """Forget the samples of the window."""
        self._samples = np.empty(0, np.float32)

    def infer(self, inputs: FloatArray) -> FloatArray:
        """Run the network on one window: (frames, n_mfcc) normalised features → (labels,) probabilities."""
        outputs = self.network.run({self._tensors.features: inputs[None]})
        probabilities: FloatArray = outputs[self._tensors.probabilities][0]
        return probabilities

    def advance(self, samples: FloatArray) -> None:
        """Append (n,) samples to the window."""
        self._samples = np.concatenate([self._samples, samples])[-self.card.window_samples :]

    def probabilities(self) -> FloatArray | None:
        """(labels,) raw probabilities of the last window; None until it is full."""
        return self._classify(self._samples) if len(self._samples) == self.card.window_samples else None

    def context_seconds(self) -> float:
        """Length of a window."""
        return self.card.window_samples / self.card.front_end.sample_rate

    def early_probabilities(self) -> FloatArray | None:
        """(labels,) raw probabilities of less than a window, which is repeated until it fills one."""
        enough = len(self._samples) >= self.card.front_end.n_fft
        return self._classify(np.resize(self._samples, self.card.window_samples)) if enough else None

    def features(self, window: FloatArray) -> FloatArray:
        """MFCCs of one window: (window_samples,) samples → (frames, n_mfcc)."""
        return mfcc(window, self.card.front_end, self._computer)

    def _classify(self, window: FloatArray) -> FloatArray:
        return self.infer(self.normalise(self.features(window)))
