"""A model on an audio stream: samples in, probabilities out, whether it hears in windows or keeps a state."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

import numpy as np

from edge.card import Card, CardError
from edge.change import Change
from edge.container import SUFFIXES, read
from edge.errors import EdgeError
from edge.frontend import FloatArray, MfccComputer, mfcc
from edge.runtime import Network, first_line, open_network
from edge.stream import MfccStream

ROUNDING = 0.1  # of the sum of probabilities, in 8 bits each
SHIPPED = Path(__file__).parent / "data" / "model.tflite"


class Model(ABC):
    """What both kinds share: the card, the network and one call of it."""

    def __init__(self, card: Card, network: Network) -> None:
        if card.tensors is None:
            raise CardError("the model card names no tensors")
        self.card = card
        self.network = network
        self._tensors = card.tensors
        self._mean = np.asarray(card.normalisation.mean, np.float32)
        self._scale = np.asarray(card.normalisation.scale, np.float32)
        self._check_shapes()
        self.reset()

    def another(self) -> Self:
        """A model of the same file that has heard nothing: the network is shared, what was heard is not."""
        return type(self)(self.card, self.network)

    def normalise(self, features: FloatArray) -> FloatArray:
        """MFCCs as the network expects them: (frames, n_mfcc) → (frames, n_mfcc)."""
        return (features - self._mean) / self._scale

    @abstractmethod
    def reset(self) -> None:
        """Forget all that was heard."""

    @abstractmethod
    def infer(self, inputs: FloatArray) -> FloatArray:
        """One call of the network on normalised features: (frames, n_mfcc) → (labels,) probabilities."""

    @abstractmethod
    def advance(self, samples: FloatArray) -> None:
        """Hear (n,) samples at the card's rate."""

    @abstractmethod
    def probabilities(self) -> FloatArray | None:
        """(labels,) probabilities of what was heard up to now; None while that is too little."""

    @abstractmethod
    def seconds_behind(self) -> float:
        """How much audio the `probabilities` rest on."""

    @abstractmethod
    def last_word(self) -> FloatArray | None:
        """(labels,) probabilities of a source that ended early, from what there is; None if there is nothing."""

    def _check_shapes(self) -> None:
        """Raise CardError unless the network takes and gives what the card says."""
        try:
            self.reset()
            answer, _ = (  # twice: what comes out as a state has to go in as one
                self.infer(np.zeros((self.card.frames, len(self._mean)), np.float32)) for _ in range(2)
            )
        except Exception as error:  # every runtime has its own
            raise CardError(f"the network has other shapes than its card says: {first_line(error)}") from None
        if answer.shape != (len(self.card.labels),) or not abs(answer.sum() - 1) < ROUNDING or not (answer >= 0).all():
            raise CardError(f"the network doesn't give {len(self.card.labels)} probabilities, as its card says")


class WindowModel(Model):
    """Hears the last window, anew each time it is asked, and forgets."""

    def __init__(self, card: Card, network: Network) -> None:
        self._computer = MfccComputer(card.front_end)
        super().__init__(card, network)

    def reset(self) -> None:
        """Forget the samples of the window."""
        self._heard = np.empty(0, np.float32)

    def infer(self, inputs: FloatArray) -> FloatArray:
        """(frames, n_mfcc) normalised features of one window → (labels,) probabilities."""
        outputs = self.network.run({self._tensors.features: inputs[None]})
        probabilities: FloatArray = outputs[self._tensors.probabilities][0]
        return probabilities

    def advance(self, samples: FloatArray) -> None:
        """Keep the last window of (n,) samples."""
        self._heard = np.concatenate([self._heard, samples])[-self.card.window_samples :]

    def probabilities(self) -> FloatArray | None:
        """(labels,) probabilities of the last window; None until it is full."""
        return self._answer(self._heard) if len(self._heard) == self.card.window_samples else None

    def seconds_behind(self) -> float:
        """A window, always."""
        return self.card.window_samples / self.card.front_end.sample_rate

    def last_word(self) -> FloatArray | None:
        """(labels,) probabilities of less than a window: what there is, repeated until it fills one."""
        enough = len(self._heard) >= self.card.front_end.n_fft
        return self._answer(np.resize(self._heard, self.card.window_samples)) if enough else None

    def features(self, window: FloatArray) -> FloatArray:
        """MFCCs of one window: (window_samples,) samples → (frames, n_mfcc)."""
        return mfcc(window, self.card.front_end, self._computer)

    def _answer(self, window: FloatArray) -> FloatArray:
        return self.infer(self.normalise(self.features(window)))


class StreamModel(Model):
    """Keeps a state, so that each frame is computed and heard once.

    Where something else begins to play, a fresh state hears what has come since, and goes on.
    """

    _state: dict[str, FloatArray]
    _steps: int  # that it has heard

    def __init__(self, card: Card, network: Network) -> None:
        self.stream = MfccStream(card.front_end)
        recent, before = (
            max(2, round(seconds * card.front_end.frame_rate / card.frames))
            for seconds in (card.thresholds.change_seconds, card.thresholds.before_seconds)
        )
        self._change = Change(recent, before, card.thresholds.change_novelty)
        super().__init__(card, network)

    def reset(self) -> None:
        """Start from the zero state, without the samples that wait for their frame."""
        self.stream.reset()
        self._change.forget()
        self._pending = np.empty((0, self.card.front_end.n_mfcc), np.float32)
        self._begin()
        self._latest: FloatArray | None = None

    def infer(self, inputs: FloatArray) -> FloatArray:
        """(frames, n_mfcc) normalised features of one step → (labels,) probabilities; the state moves on."""
        outputs = self.network.run({self._tensors.features: inputs[None], **self._state})
        self._state = {state.input: outputs[state.output] for state in self._tensors.states}
        self._steps += 1
        probabilities: FloatArray = outputs[self._tensors.probabilities][0]
        return probabilities

    def advance(self, samples: FloatArray) -> None:
        """Hear (n,) samples: as many steps of the network as they complete."""
        features = self.normalise(self.stream.accept(samples))
        self._pending = np.concatenate([self._pending, features])
        frames = self.card.frames
        complete = len(self._pending) // frames * frames
        for start in range(0, complete, frames):
            inputs = self._pending[start : start + frames]
            self._latest = self.infer(inputs)
            if since := self._change.hear(inputs):
                self._begin()
                for block in since:
                    self._latest = self.infer(block)
        self._pending = self._pending[complete:]

    def probabilities(self) -> FloatArray | None:
        """(labels,) probabilities after the last step; None before the first."""
        return self._latest

    def seconds_behind(self) -> float:
        """All since the state was fresh."""
        return self._steps * self.card.frames / self.card.front_end.frame_rate

    def last_word(self) -> FloatArray | None:
        """The same: a state answers from its first step on."""
        return self._latest

    def _begin(self) -> None:
        """A fresh state, which has heard nothing."""
        self._state = {state.input: np.zeros(state.shape, np.float32) for state in self._tensors.states}
        self._steps = 0


def load(path: str | Path = SHIPPED, threads: int = 1, package: str | None = None) -> Model:
    """Open a model file, or the one that a link of any name leads to. `package` picks a TFLite runtime by import name.

    Raise CardError for a file that is not a whole model of this project, EdgeError when no runtime can run it.
    """
    path = Path(path)
    if path.is_symlink() and path.suffix not in SUFFIXES:
        path = path.resolve()
    content, card = read(path)
    assert card.tensors is not None  # container.read refuses such a card
    try:
        network = open_network(content, card.tensors, path.suffix, threads, package)
        return WindowModel(card, network) if card.mode == "window" else StreamModel(card, network)
    except EdgeError as error:
        raise type(error)(f"{path}: {error}") from None
