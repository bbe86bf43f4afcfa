"""The interface of a model on an audio stream: samples in, probabilities out."""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np

from edge.arrays import FloatArray
from edge.model.card import Card, CardError
from edge.model.runtime import Network, first_line


class Model(ABC):
    """A card, its network, and the audio heard so far.

    Not thread-safe: use one model per stream. Models that share a network (`another`) may be in several threads.

    Attributes
    ----------
    card : Card
        Labels, features and thresholds.
    network : Network
        The network in its native runtime.
    """

    def __init__(self, card: Card, network: Network) -> None:
        """Connect a card and its network; `reset` must be called before audio. `edge.model.load` checks both."""
        if card.tensors is None:
            raise CardError("the model card names no tensors")
        self.card = card
        self.network = network
        self._tensors = card.tensors
        self._mean = np.asarray(card.normalisation.mean, np.float32)
        self._scale = np.asarray(card.normalisation.scale, np.float32)

    def another(self) -> Self:
        """A model of the same file that has heard nothing; both share the network and nothing else."""
        return type(self)(self.card, self.network)

    def normalise(self, features: FloatArray) -> FloatArray:
        """Scale MFCCs as the network expects them: (frames, n_mfcc) → (frames, n_mfcc)."""
        return (features - self._mean) / self._scale

    @abstractmethod
    def reset(self) -> None:
        """Forget all audio."""

    @abstractmethod
    def infer(self, inputs: FloatArray) -> FloatArray:
        """Run the network once: (frames, n_mfcc) normalised features → (labels,) probabilities."""

    @abstractmethod
    def advance(self, samples: FloatArray) -> None:
        """Take (n,) samples at the card's rate."""

    @abstractmethod
    def probabilities(self) -> FloatArray | None:
        """(labels,) raw probabilities of the audio so far, not calibrated; None while it is too short."""

    @abstractmethod
    def context_seconds(self) -> float:
        """Length of the audio on which `probabilities` are based."""

    @abstractmethod
    def early_probabilities(self) -> FloatArray | None:
        """(labels,) raw probabilities of a stream that ends early, from what there is; None without any."""


def check_network(model: Model) -> None:
    """Run the network twice on zeros, and reset the model.

    Raises
    ------
    CardError
        If the network's shapes or outputs differ from the card.
    """
    card = model.card
    zeros = np.zeros((card.frames, card.front_end.n_mfcc), np.float32)
    try:
        model.reset()
        model.infer(zeros)
        probabilities = model.infer(zeros)  # the states of the first call must fit as inputs of the second
        model.reset()
    except Exception as error:  # each runtime has its own exceptions
        raise CardError(f"the network's shapes differ from its card: {first_line(error)}") from None
    rounding = 0.1  # of the sum of probabilities with 8 bits each
    if (
        probabilities.shape != (len(card.labels),)
        or not abs(probabilities.sum() - 1) < rounding
        or not (probabilities >= 0).all()
    ):
        raise CardError(f"the network's output is not {len(card.labels)} probabilities, as its card says")
