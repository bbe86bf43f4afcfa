"""A model on an audio stream: samples in, probabilities out, whether it hears in windows or keeps a state."""

from pathlib import Path

import numpy as np

from edge.card import Card, CardError, Tensors
from edge.container import read
from edge.frontend import FloatArray, MfccComputer, mfcc
from edge.runtime import Network, open_network
from edge.stream import MfccStream

SHIPPED = Path(__file__).parent / "data" / "model.tflite"


class Model:
    """What both kinds share: the card, the network, the call."""

    def __init__(self, card: Card, network: Network) -> None:
        if card.tensors is None:
            raise CardError("the model card names no tensors")
        self.card = card
        self.network = network
        self._tensors: Tensors = card.tensors
        self._mean = np.asarray(card.normalisation.mean, np.float32)
        self._scale = np.asarray(card.normalisation.scale, np.float32)
        try:
            if self.infer(np.zeros((card.frames, card.front_end.n_mfcc), np.float32)).shape != (len(card.labels),):
                raise ValueError
        except (ValueError, IndexError, RuntimeError):
            raise CardError("the model card describes other shapes than the network has") from None

    ...
