import numpy as np
from helpers.support import CountingNetwork, window_card

from edge.model.window import WindowModel

NOISE = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
WINDOW = window_card().window_samples


def test_a_window_answers_when_it_is_full_and_then_drops_its_oldest_samples() -> None:
    network = CountingNetwork()
    model = WindowModel(window_card(), network)
    model.advance(NOISE[:2000])
    assert model.probabilities() is None
    model.advance(NOISE[2000:5000])
    model.probabilities()
    inputs = network.calls[-1]
    model.reset()
    assert model.probabilities() is None
    model.advance(NOISE[5000 - WINDOW : 5000])
    model.probabilities()
    assert np.array_equal(network.calls[-1], inputs)


def test_less_than_a_window_is_repeated_for_an_early_answer() -> None:
    network = CountingNetwork()
    model = WindowModel(window_card(), network)
    model.advance(NOISE[:100])
    assert model.early_probabilities() is None
    model.advance(NOISE[100 : WINDOW // 2])
    assert model.early_probabilities() is not None
    inputs = network.calls[-1]
    twice = WindowModel(window_card(), network)
    twice.advance(np.tile(NOISE[: WINDOW // 2], 2))
    twice.probabilities()
    assert np.array_equal(network.calls[-1], inputs)


def test_the_context_is_the_length_of_the_window() -> None:
    assert WindowModel(window_card(), CountingNetwork()).context_seconds() == WINDOW / 22_050
