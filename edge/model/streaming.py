"""A model that keeps the state of its network between calls, so that each frame is computed once."""

import numpy as np

from edge.arrays import FloatArray
from edge.features.stream import MfccStream
from edge.model.card import Card
from edge.model.model import Model
from edge.model.novelty import NoveltyDetector
from edge.model.runtime import Network


class StreamModel(Model):
    """Runs its network step by step. Where other music begins, it starts again with the blocks since the change.

    Attributes
    ----------
    stream : MfccStream
        Computes the features; benchmarks replace its methods to measure their time.
    """

    def __init__(self, card: Card, network: Network) -> None:
        super().__init__(card, network)
        self.stream = MfccStream(card.front_end)
        recent, before = (
            max(2, round(seconds * card.front_end.frame_rate / card.frames))
            for seconds in (card.thresholds.change_seconds, card.thresholds.before_seconds)
        )
        self._novelty = NoveltyDetector(recent, before, card.thresholds.change_novelty)
        self._pending = np.empty((0, card.front_end.n_mfcc), np.float32)  # frames of a step that is not complete
        self._latest: FloatArray | None = None
        self._state = self._zero_state()
        self._steps = 0  # since the state was zero

    def reset(self) -> None:
        """Start from the zero state, without samples or frames that wait for more."""
        self.stream.reset()
        self._novelty.reset()
        self._pending = self._pending[:0]
        self._latest = None
        self._restart()

    def infer(self, inputs: FloatArray) -> FloatArray:
        """Run one step: (frames, n_mfcc) normalised features → (labels,) probabilities; the state advances."""
        outputs = self.network.run({self._tensors.features: inputs[None], **self._state})
        self._state = {state.input: outputs[state.output] for state in self._tensors.states}
        self._steps += 1
        probabilities: FloatArray = outputs[self._tensors.probabilities][0]
        return probabilities

    def advance(self, samples: FloatArray) -> None:
        """Take (n,) samples, and run as many steps as they complete."""
        features = self.normalise(self.stream.accept(samples))
        self._pending = np.concatenate([self._pending, features])
        frames = self.card.frames
        complete = len(self._pending) // frames * frames
        for start in range(0, complete, frames):
            inputs = self._pending[start : start + frames]
            self._latest = self.infer(inputs)
            if since_change := self._novelty.update(inputs):
                self._restart()
                for block in since_change:
                    self._latest = self.infer(block)
        self._pending = self._pending[complete:]

    def probabilities(self) -> FloatArray | None:
        """(labels,) raw probabilities after the last step; None before the first."""
        return self._latest

    def context_seconds(self) -> float:
        """Time since the state was zero."""
        return self._steps * self.card.frames / self.card.front_end.frame_rate

    def early_probabilities(self) -> FloatArray | None:
        """(labels,) raw probabilities: a state answers from its first step on."""
        return self._latest

    def _restart(self) -> None:
        self._state = self._zero_state()
        self._steps = 0

    def _zero_state(self) -> dict[str, FloatArray]:
        return {state.input: np.zeros(state.shape, np.float32) for state in self._tensors.states}
