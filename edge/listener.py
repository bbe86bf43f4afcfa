"""A model that listens to one stream: blocks of audio in, one answer a hop out."""

import numpy as np

from edge.answer import Answer
from edge.arrays import FloatArray
from edge.audio.resample import Resampler
from edge.audio.source import LOST_SECONDS
from edge.config import HOP_SECONDS, MAX_HOP_SECONDS, RATES
from edge.decision import Decision, level_dbfs
from edge.errors import UsageError
from edge.model.model import Model


class Listener:
    """Resamples audio, cuts it into hops, and runs the model and the decision on each hop.

    Not thread-safe: call it from one thread or task at a time.

    Attributes
    ----------
    resample : Resampler
        From the source's rate to the model's; benchmarks replace it to measure its time.

    Examples
    --------
    >>> import numpy as np
    >>> from edge import Listener, load_model
    >>> listener = Listener(load_model(), source_rate=48_000)
    >>> block = np.zeros((60_000, 2), np.float32)
    >>> [answer.state for answer in listener.process(block)]
    ['warming', 'silence']
    """

    def __init__(self, model: Model, source_rate: int, hop_seconds: float = HOP_SECONDS, raw: bool = False) -> None:
        """Reset the model and wait for audio.

        Parameters
        ----------
        model
            Loaded model; the listener owns its state from now on.
        source_rate
            Sample rate of the blocks in Hz.
        hop_seconds
            Time between answers, at least one frame of the model and at most `MAX_HOP_SECONDS`.
        raw
            Answer with the model's own output: no smoothing, no thresholds.

        Raises
        ------
        UsageError
            If `source_rate` is outside `RATES`, or `hop_seconds` out of range for this model.
        """
        if not RATES[0] <= source_rate <= RATES[1]:
            raise UsageError(f"rate {source_rate}: must be from {RATES[0]} to {RATES[1]}")
        check_hop(model, hop_seconds)
        self._hop_seconds = hop_seconds
        self._raw = raw
        self._source_rate = source_rate
        self._gap_seconds = 0.0  # since the last block
        self._model = model
        self._decision = Decision(model.card, raw)
        self._rate = model.card.front_end.sample_rate
        self._hop = round(hop_seconds * self._rate)
        self._pending = np.empty(0, np.float32)  # samples of a hop that is not complete
        self.resample = Resampler(source_rate, self._rate)
        model.reset()

    def process(self, block: FloatArray) -> list[Answer]:
        """Take a block of audio.

        Parameters
        ----------
        block
            (n, channels) float samples in -1..1 at the source's rate, n of any size.

        Returns
        -------
        One answer for each hop that the block completes.
        """
        self._gap_seconds = 0.0
        self._pending = np.concatenate([self._pending, self.resample(block)])
        complete = len(self._pending) // self._hop * self._hop
        hops = [self._pending[start : start + self._hop] for start in range(0, complete, self._hop)]
        self._pending = self._pending[complete:]
        return [self._answer(hop) for hop in hops]

    def gap(self, seconds: float, source_rate: int, why: str | None = None) -> Answer:
        """Account for time without audio. From `LOST_SECONDS` in a row on, the audio before it is forgotten.

        Parameters
        ----------
        seconds
            Length of the gap.
        source_rate
            Sample rate in Hz of what follows.
        why
            Reason, for the answer's `note`.

        Returns
        -------
        One answer, whose state is "lost".
        """
        self._gap_seconds += seconds
        lost = self._gap_seconds >= LOST_SECONDS
        if lost or source_rate != self._source_rate:
            seconds += len(self._drain()) / self._rate  # the beginning of a hop that will not be completed
            self._source_rate = source_rate
            self.resample = Resampler(source_rate, self._rate)
        if lost:
            self._model.reset()
        return self._decision.lost(seconds, forget=lost, why=why)

    def flush(self) -> list[Answer]:
        """End the stream: the answers for what is left in the resampler and the last, shorter hop."""
        rest = self._drain()
        self.resample = Resampler(self._source_rate, self._rate)
        return [self._answer(rest[start : start + self._hop]) for start in range(0, len(rest), self._hop)]

    def summary(self) -> Answer:
        """The answer for everything that was heard so far; call `flush` first at the end of a stream."""
        return self._decision.summary(self._model.early_probabilities())

    def swap_model(self, model: Model) -> None:
        """Continue with another model, which has heard nothing yet; the time goes on.

        Raises
        ------
        UsageError
            If the hop is out of range for the new model; the old one is kept.
        """
        check_hop(model, self._hop_seconds)
        rate = model.card.front_end.sample_rate
        cut = 0.0 if rate == self._rate else len(self._drain()) / self._rate  # of a hop that ends at another rate
        self._decision = Decision(
            model.card, self._raw, self._decision.heard_seconds, self._decision.lost_seconds + cut
        )
        self._model = model
        if rate != self._rate:
            self._rate = rate
            self._hop = round(self._hop_seconds * rate)
            self.resample = Resampler(self._source_rate, rate)
        model.reset()

    def _drain(self) -> FloatArray:
        """Take the samples of the incomplete hop, those that wait in the resampler included, which ends with them."""
        rest: FloatArray = np.concatenate([self._pending, self.resample(np.empty((0, 1), np.float32), last=True)])
        self._pending = np.empty(0, np.float32)
        return rest

    def _answer(self, samples: FloatArray) -> Answer:
        seconds, level = len(samples) / self._rate, level_dbfs(samples)
        if self._decision.silent_after(seconds, level):
            # What plays after the silence is something new. Meanwhile the network has nothing to do.
            if not self._decision.silent:
                self._model.reset()
            return self._decision.update(seconds, level, None, 0.0)
        self._model.advance(samples)
        return self._decision.update(seconds, level, self._model.probabilities(), self._model.context_seconds())


def check_hop(model: Model, hop_seconds: float) -> None:
    """Raise UsageError unless the model can answer every `hop_seconds`."""
    front_end = model.card.front_end
    shortest = front_end.hop_length / front_end.sample_rate
    if not shortest <= hop_seconds <= MAX_HOP_SECONDS:
        raise UsageError(f"hop {hop_seconds:g}: must be from {shortest:.3f} to {MAX_HOP_SECONDS:g} s with this model")
