import sys

import pytest
from helpers.support import STREAM_TENSORS, CountingNetwork, stream_card

from edge.errors import EdgeError
from edge.model import runtime
from edge.model.card import CardError, Tensors
from edge.model.file import read_model_file
from edge.model.load import SHIPPED_MODEL
from edge.model.model import check_network
from edge.model.runtime import open_network
from edge.model.streaming import StreamModel


def test_a_card_with_another_number_of_labels_is_refused() -> None:
    with pytest.raises(CardError, match="2 probabilities"):
        check_network(StreamModel(stream_card(labels=("a", "b"), not_music=()), CountingNetwork()))


def test_a_card_without_tensors_is_refused() -> None:
    with pytest.raises(CardError, match="names no tensors"):
        StreamModel(stream_card(tensors=None), CountingNetwork())


def test_a_card_with_other_tensor_names_is_refused() -> None:
    network, _ = read_model_file(SHIPPED_MODEL)
    with pytest.raises(CardError, match="tensor names"):
        open_network(network, Tensors("features", "probabilities"), ".tflite", 1, None)


def test_a_network_that_the_runtime_refuses_is_one_sentence() -> None:
    with pytest.raises(EdgeError, match="can't run this network") as caught:
        open_network(b"TFL3 but not really" * 100, STREAM_TENSORS, ".tflite", 1, None)
    assert "\n" not in str(caught.value)


def test_an_onnx_model_without_its_runtime_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EdgeError, match=r"pip install 'edge-listen\[onnx\]'"):
        open_network(b"", STREAM_TENSORS, ".onnx", 1, None)


def test_a_machine_without_a_tflite_runtime_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "TFLITE_RUNTIMES", ("no_such_runtime", "nor_this_one"))
    with pytest.raises(EdgeError, match="pip install no_such_runtime or nor_this_one"):
        open_network(b"", STREAM_TENSORS, ".tflite", 1, None)
