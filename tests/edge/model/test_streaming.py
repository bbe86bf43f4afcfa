import dataclasses

import numpy as np
import pytest
from helpers.support import THRESHOLDS, CountingNetwork, stream_card
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model.load import load_model
from edge.model.streaming import StreamModel

NOISE = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)


def test_reset_forgets_all_audio() -> None:
    model = load_model()
    model.advance(NOISE)
    first = model.probabilities()
    model.reset()
    assert model.probabilities() is None
    assert model.early_probabilities() is None
    assert model.context_seconds() == 0
    model.advance(NOISE)
    assert np.array_equal(model.probabilities(), first)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, len(NOISE)), max_size=8))
def test_the_output_does_not_depend_on_the_block_boundaries(cuts: list[int]) -> None:
    whole, pieces = load_model(), load_model()
    whole.advance(NOISE)
    for block in np.split(NOISE, sorted(cuts)):
        pieces.advance(block)
    assert np.allclose(whole.probabilities(), pieces.probabilities(), atol=1e-5)


def test_each_frame_is_computed_once() -> None:
    network = CountingNetwork()
    model = StreamModel(stream_card(), network)
    for block in np.split(NOISE[:10_240], 40):
        model.advance(block)
    steps = (1 + (10_240 - 512) // 256) // 4
    assert len(network.calls) == steps
    assert model.probabilities()[0] == steps


def test_after_a_change_of_music_the_state_is_based_on_the_new_music_only() -> None:
    """Noise becomes tones. The change is detected at the first few, and again when there are enough of them."""
    card = stream_card(thresholds=dataclasses.replace(THRESHOLDS, change_seconds=0.5, before_seconds=2.0))
    model, steps_per_second = StreamModel(card, CountingNetwork()), card.front_end.frame_rate / card.frames
    model.advance(np.resize(NOISE, 5 * 22_050))
    assert model.probabilities()[0] == pytest.approx(5 * steps_per_second, abs=2)
    tones = np.sin(np.arange(22_050) * 0.3).astype(np.float32)
    model.advance(tones)
    assert steps_per_second / 2 < model.probabilities()[0] < steps_per_second + 2


def test_the_context_is_the_time_since_the_state_was_zero() -> None:
    card = stream_card()
    model = StreamModel(card, CountingNetwork())
    model.advance(NOISE[:10_240])
    steps = model.probabilities()[0]
    assert model.context_seconds() == pytest.approx(steps * card.frames / card.front_end.frame_rate)
