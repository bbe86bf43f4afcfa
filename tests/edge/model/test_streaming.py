from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from helpers.support import CountingNetwork, stream_card, synthesise, window_card

from edge.model.card import CardError, Thresholds
from edge.errors import EdgeError
from edge.model.load import SHIPPED_MODEL, load_model
from edge.model.streaming import StreamModel
from edge.model.window import WindowModel
from edge.model.runtime import installed_tflite_runtimes

NOISE = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)


@pytest.mark.parametrize("package", installed_tflite_runtimes())
def test_the_shipped_model_answers_in_every_runtime(package: str) -> None:
    model = load_model(package=package)
    model.advance(synthesise(4.0, 22_050, 1)[:, 0])
    probabilities = model.probabilities()
    assert probabilities is not None
    assert probabilities.shape == (len(model.card.labels),)
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_reset_forgets_everything() -> None:
    model = load_model()
    model.advance(NOISE)
    first = model.probabilities()
    model.reset()
    assert model.probabilities() is None
    model.advance(NOISE)
    assert np.array_equal(model.probabilities(), first)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, len(NOISE)), max_size=8))
def test_a_stream_answers_the_same_however_the_samples_are_cut(cuts: list[int]) -> None:
    whole, pieces = load_model(), load_model()
    whole.advance(NOISE)
    for block in np.split(NOISE, sorted(cuts)):
        pieces.advance(block)
    assert np.allclose(whole.probabilities(), pieces.probabilities(), atol=1e-5)


def test_a_stream_hears_each_frame_once() -> None:
    network = CountingNetwork()
    model = StreamModel(stream_card(), network)
    network.calls.clear()
    for block in np.split(NOISE[:10_240], 40):
        model.advance(block)
    steps = (1 + (10_240 - 512) // 256) // 4
    assert len(network.calls) == steps
    assert model.probabilities()[0] == steps


def test_where_something_else_begins_a_fresh_state_has_heard_all_of_it() -> None:
    """Noise becomes tones. Found at the first few, and again when there are enough: the state has heard tones only."""
    card = stream_card(thresholds=Thresholds(change_seconds=0.5, before_seconds=2.0))
    model, steps_a_second = StreamModel(card, CountingNetwork()), card.front_end.frame_rate / card.frames
    model.advance(np.resize(NOISE, 5 * 22_050))
    assert model.probabilities()[0] == pytest.approx(5 * steps_a_second, abs=2)
    tones = np.sin(np.arange(22_050) * 0.3).astype(np.float32)
    model.advance(tones)
    assert steps_a_second / 2 < model.probabilities()[0] < steps_a_second + 2


def test_a_window_waits_until_it_is_full_and_then_forgets_the_oldest() -> None:
    network = CountingNetwork()
    model = WindowModel(window_card(), network)
    model.advance(NOISE[:2000])
    assert model.probabilities() is None
    model.advance(NOISE[2000:5000])
    model.probabilities()
    heard = network.calls[-1]
    model.reset()
    model.advance(NOISE[5000 - 2304 : 5000])
    model.probabilities()
    assert np.array_equal(network.calls[-1], heard)


def test_the_last_word_on_less_than_a_window_repeats_it() -> None:
    network = CountingNetwork()
    model = WindowModel(window_card(), network)
    model.advance(NOISE[:100])
    assert model.last_word() is None
    model.advance(NOISE[100:1152])
    assert model.last_word() is not None
    heard = network.calls[-1]
    twice = WindowModel(window_card(), network)
    twice.advance(np.tile(NOISE[:1152], 2))
    twice.probabilities()
    assert np.array_equal(network.calls[-1], heard)


def test_features_are_normalised_as_the_card_says() -> None:
    model = load_model()
    mean, scale = model.card.normalisation.mean, model.card.normalisation.scale
    assert np.allclose(model.normalise(np.array([mean], np.float32) + np.array(scale, np.float32)), 1, atol=1e-4)


def test_a_card_of_other_shapes_is_refused() -> None:
    with pytest.raises(CardError, match="2 probabilities"):
        StreamModel(stream_card(labels=("a", "b"), not_music=()), CountingNetwork())


def test_an_onnx_model_without_its_runtime_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.model.runtime import open_network

    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(EdgeError, match=r"pip install 'edge-listen\[onnx\]'"):
        open_network(b"", stream_card().tensors, ".onnx", 1, None)


def test_a_link_to_a_model_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "model").symlink_to(SHIPPED_MODEL)
    assert load_model(tmp_path / "model").card == load_model(SHIPPED_MODEL).card
    (tmp_path / "nothing").symlink_to("nowhere.tflite")
    with pytest.raises(CardError, match=r"nowhere\.tflite: can't read the model"):
        load_model(tmp_path / "nothing")
