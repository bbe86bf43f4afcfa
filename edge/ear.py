"""The live loop without its ends: blocks of a source in, one answer a hop out.

This is where the hop is handled: resampled audio is cut into hops, each hop moves the model and the decision on.
"""

from collections.abc import Iterator

import numpy as np

from edge import HOP_SECONDS
from edge.decision import Answer, Decision, level_dbfs
from edge.errors import UsageError
from edge.frontend import FloatArray
from edge.model import Model
from edge.resample import ToModelRate

LONGEST_HOP = 60.0


class Ear:
    """One model listening to one source; `resample` and the model's methods are the joints that benchmarks watch."""

    def __init__(self, model: Model, source_rate: int, hop_seconds: float = HOP_SECONDS) -> None:
        """Raise UsageError for a hop that is shorter than a frame's or longer than LONGEST_HOP."""
        front_end = model.card.front_end
        shortest = front_end.hop_length / front_end.sample_rate
        if not shortest <= hop_seconds <= LONGEST_HOP:
            raise UsageError(f"--hop {hop_seconds:g}: this model answers every {shortest:.3f} to {LONGEST_HOP:g} s")
        self._model = model
        self._rate = front_end.sample_rate
        self.resample = ToModelRate(source_rate, self._rate)
        self._hop = round(hop_seconds * self._rate)
        self._decision = Decision(model.card)
        self._pending = np.empty(0, np.float32)
        model.reset()

    def hear(self, block: FloatArray) -> Iterator[Answer]:
        """Take (n, channels) samples of the source; give an answer for each hop that they complete."""
        self._pending = np.concatenate([self._pending, self.resample(block)])
        complete = len(self._pending) // self._hop * self._hop
        for start in range(0, complete, self._hop):
            yield self._answer(self._pending[start : start + self._hop])
        self._pending = self._pending[complete:]

    def lost(self) -> Answer:
        """The source delivers nothing: what comes after the gap has nothing to do with what was before it."""
        self._model.reset()
        return self._decision.lost()

    def finish(self) -> tuple[list[Answer], Answer]:
        """The source has ended: the answer for the last, shorter hop, if any, and the one for all that was heard."""
        rest = np.concatenate([self._pending, self.resample(np.empty((0, 1), np.float32), last=True)])
        last = [self._answer(rest[i : i + self._hop]) for i in range(0, len(rest), self._hop)]
        return last, self._decision.final(self._model.last_word())

    def _answer(self, samples: FloatArray) -> Answer:
        self._model.advance(samples)
        word, behind = self._model.probabilities(), self._model.seconds_behind()
        answer = self._decision.update(len(samples) / self._rate, level_dbfs(samples), word, behind)
        if self._decision.silent:
            self._model.reset()  # what plays after the silence is something new, and the silence no part of it
        return answer
