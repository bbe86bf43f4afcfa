"""The stages are separated in both kinds of model, with networks whose work is to wait."""

import dataclasses
import time

import numpy as np
import pytest

from edge.arrays import FloatArray
from edge.benchmark.measurement import DECISION, END_TO_END, FRONT_END, MODEL, RESAMPLE, STAGES
from edge.benchmark.stages import TimedListener
from edge.model.card import Card, Tensors
from edge.model.file import read_model_file
from edge.model.load import SHIPPED_MODEL, load_model
from edge.model.model import Model
from edge.model.streaming import StreamModel
from edge.model.window import WindowModel

CALL_NS = 2_000_000
SOURCE_RATE = 48_000
HOP_S = 0.5


class WaitingNetwork:
    """Returns equal probabilities after CALL_NS."""

    runtime = "none"

    def __init__(self, card: Card) -> None:
        self._probabilities = np.full((1, len(card.labels)), 1 / len(card.labels), np.float32)
        self.calls = 0

    def run(self, inputs: dict[str, FloatArray]) -> dict[str, FloatArray]:
        self.calls += 1
        time.sleep(CALL_NS / 1e9)
        return {"probabilities": self._probabilities}


def model_of(mode: str) -> Model:
    card = dataclasses.replace(read_model_file(SHIPPED_MODEL)[1], tensors=Tensors("features", "probabilities"))
    if mode == "stream":
        return StreamModel(card, WaitingNetwork(card))
    samples = card.front_end.sample_rate
    frames = card.front_end.frame_count(samples)
    card = dataclasses.replace(card, mode="window", window_samples=samples, frames=frames)
    return WindowModel(card, WaitingNetwork(card))


@pytest.mark.parametrize("mode", ["stream", "window"])
def test_the_calls_of_the_network_are_the_model_stage_and_nothing_is_counted_twice(mode: str) -> None:
    model = model_of(mode)
    network = model.network
    assert isinstance(network, WaitingNetwork)
    listener = TimedListener([model], SOURCE_RATE, HOP_S)
    noise = np.random.default_rng(0).normal(0, 0.1, (round(HOP_S * SOURCE_RATE), 1)).astype(np.float32)
    for _ in range(4):
        listener.process(noise)
    listener.take()
    before = network.calls
    listener.process(noise)
    spent = listener.take()
    assert network.calls > before
    assert spent[MODEL].wall >= (network.calls - before) * CALL_NS
    assert all(spent[stage].wall > 0 for stage in (RESAMPLE, FRONT_END, DECISION))
    assert sum(spent[stage].wall for stage in STAGES) <= spent[END_TO_END].wall


def test_streams_on_one_network_do_not_influence_each_other() -> None:
    """Four listeners to the same audio answer like one, and one with other audio answers as it does alone."""
    rng = np.random.default_rng(0)
    loud, soft = (rng.normal(0, scale, (12, round(HOP_S * SOURCE_RATE), 1)).astype(np.float32) for scale in (0.3, 0.01))
    alone = TimedListener([load_model()], SOURCE_RATE, HOP_S)
    model = load_model()
    together = TimedListener([model, *(model.another() for _ in range(3))], SOURCE_RATE, HOP_S)
    for block in loud:
        expected = alone.process(block)  # one answer, once the resampler has filled
        assert together.process(block) == expected * 4
    model = load_model()
    mixed = [model, model.another()]
    for block_a, block_b in zip(loud, soft, strict=True):
        for each, block in zip(mixed, (block_a, block_b), strict=True):
            each.advance(block[:, 0])
    single = load_model()
    for block in soft:
        single.advance(block[:, 0])
    np.testing.assert_array_equal(mixed[1].probabilities(), single.probabilities())
    assert not np.array_equal(mixed[0].probabilities(), single.probabilities())
