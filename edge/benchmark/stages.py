"""A listener with a stopwatch at each stage."""

from collections.abc import Callable, Sequence

from edge.answer import Answer
from edge.arrays import FloatArray
from edge.benchmark.measurement import DECISION, END_TO_END, FRONT_END, MODEL, RESAMPLE
from edge.benchmark.stopwatch import Spent, Stopwatch
from edge.listener import Listener
from edge.model.model import Model


class TimedListener:
    """Listener whose stages are timed; with several models, one listener for each, all on the same network.

    Parameters
    ----------
    models
        One model per stream; they share the network of the first one (`Model.another`).
    source_rate
        Sample rate of the blocks in Hz.
    hop_s
        Seconds between answers.
    new_stopwatch
        Makes the stopwatch of a stage.
    """

    def __init__(
        self,
        models: Sequence[Model],
        source_rate: int,
        hop_s: float,
        new_stopwatch: Callable[[], Stopwatch] = Stopwatch,
    ) -> None:
        self._whole, self._resample, self._model, self._network = (new_stopwatch() for _ in range(4))
        self._network.watch(models[0].network, "run")
        listeners = [Listener(model, source_rate, hop_s) for model in models]
        for model, listener in zip(models, listeners, strict=True):
            self._model.watch(model, "advance", "probabilities")
            self._resample.watch(listener, "resample")

        def process(block: FloatArray) -> list[Answer]:
            return [answer for listener in listeners for answer in listener.process(block)]

        self.process = self._whole.timed(process)

    def take(self) -> dict[str, Spent]:
        """Time that each stage has spent since the last `take`; the stages add up to END_TO_END."""
        whole, resample, model, network = (
            watch.take() for watch in (self._whole, self._resample, self._model, self._network)
        )
        return {
            RESAMPLE: resample,
            FRONT_END: model - network,
            MODEL: network,
            DECISION: whole - resample - model,
            END_TO_END: whole,
        }
