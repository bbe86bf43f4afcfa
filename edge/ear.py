"""The live loop without its ends: blocks of a source in, one answer a hop out.

This is where the hop is handled: resampled audio is cut into hops, each hop moves the model and the decision on.
"""

from collections.abc import Iterator

import numpy as np

from edge import HOP_SECONDS
from edge.decision import Answer, Decision, level_dbfs
from edge.errors import UsageError
from edge.frontend import FloatArray
from edge.ledger import LOST_SECONDS
from edge.model import Model
from edge.resample import ToModelRate

LONGEST_HOP = 60.0


class Ear:
    """One model listening to one source; `resample` and the model's methods are the joints that benchmarks watch."""

    def __init__(self, model: Model, source_rate: int, hop_seconds: float = HOP_SECONDS, raw: bool = False) -> None:
        """`raw` shows the model itself. Raise UsageError for a hop below a frame's or above LONGEST_HOP."""
        self._hop_seconds = hop_seconds
        self._raw = raw
        self._source_rate = source_rate
        self._away_seconds = 0.0  # since a last block
        self._pending: FloatArray
        self._hear_with(model, Decision(model.card, raw))
        self._resample_to(model.card.front_end.sample_rate)

    def change(self, model: Model) -> None:
        """Hear with another model from now on, which has heard nothing yet; the seconds go on.

        Raise UsageError, and go on as before, where the hop is none for it.
        """
        rate = model.card.front_end.sample_rate
        cut = 0.0 if rate == self._rate else len(self._pending) / self._rate  # of a hop that ends at another rate
        clock = self._decision.heard_seconds, self._decision.lost_seconds + cut
        self._hear_with(model, Decision(model.card, self._raw, *clock))
        if rate != self._rate:
            self._resample_to(rate)

    def hear(self, block: FloatArray) -> Iterator[Answer]:
        """Take (n, channels) samples of the source; give an answer for each hop that they complete."""
        self._away_seconds = 0.0
        self._pending = np.concatenate([self._pending, self.resample(block)])
        complete = len(self._pending) // self._hop * self._hop
        for start in range(0, complete, self._hop):
            yield self._answer(self._pending[start : start + self._hop])
        self._pending = self._pending[complete:]

    def lost(self, seconds: float, source_rate: int, why: str | None = None) -> Answer:
        """So many seconds have passed unheard, and what comes next comes at `source_rate`.

        After LOST_SECONDS of it, what comes has nothing to do with what was before.
        """
        self._away_seconds += seconds
        away = self._away_seconds >= LOST_SECONDS
        if away or source_rate != self._source_rate:
            self._source_rate = source_rate
            self.resample = ToModelRate(source_rate, self._rate)
            seconds += len(self._pending) / self._rate  # the beginning of a hop whose end will not come
            self._pending = self._pending[:0]
        if away:
            self._model.reset()
        return self._decision.lost(seconds, forget=away, why=why)

    def finish(self) -> tuple[list[Answer], Answer]:
        """The source has ended: the answer for the last, shorter hop, if any, and the one for all that was heard."""
        rest = np.concatenate([self._pending, self.resample(np.empty((0, 1), np.float32), last=True)])
        last = [self._answer(rest[i : i + self._hop]) for i in range(0, len(rest), self._hop)]
        return last, self._decision.final(self._model.last_word())

    def _hear_with(self, model: Model, decision: Decision) -> None:
        front_end = model.card.front_end
        shortest = front_end.hop_length / front_end.sample_rate
        if not shortest <= self._hop_seconds <= LONGEST_HOP:
            hop = f"--hop {self._hop_seconds:g}"
            raise UsageError(f"{hop}: this model answers every {shortest:.3f} to {LONGEST_HOP:g} s")
        self._model, self._decision = model, decision
        model.reset()

    def _resample_to(self, rate: int) -> None:
        self._rate = rate
        self.resample = ToModelRate(self._source_rate, rate)
        self._hop = round(self._hop_seconds * rate)
        self._pending = np.empty(0, np.float32)

    def _answer(self, samples: FloatArray) -> Answer:
        self._model.advance(samples)
        word, behind = self._model.probabilities(), self._model.seconds_behind()
        answer = self._decision.update(len(samples) / self._rate, level_dbfs(samples), word, behind)
        if self._decision.silent:
            self._model.reset()  # what plays after the silence is something new, and the silence no part of it
        return answer
