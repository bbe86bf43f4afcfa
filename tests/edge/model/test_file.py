from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from helpers.support import stream_card

from edge import container
from edge.model.card import CardError
from edge.model.load import SHIPPED_MODEL, load_model

NETWORK = b"\x08\x08" + b"network" * 50  # field 1 = 8, then what the walk must not trip over
FIELD = b"\x3a\x40" + bytes(64)  # a protobuf field 7 of 64 bytes


def write(folder: Path, suffix: str) -> Path:
    path = folder / f"model{suffix}"
    path.write_bytes(container.pack(FIELD * 3, stream_card(), suffix))
    return path


@pytest.mark.parametrize("suffix", container.SUFFIXES)
def test_network_and_card_come_back(tmp_path: Path, suffix: str) -> None:
    network, card = container.read(write(tmp_path, suffix))
    assert network == FIELD * 3
    assert card.labels == stream_card().labels


@pytest.mark.parametrize("suffix", container.SUFFIXES)
def test_packing_is_reproducible(suffix: str) -> None:
    assert container.pack(FIELD, stream_card(), suffix) == container.pack(FIELD, stream_card(), suffix)


@pytest.mark.parametrize("suffix", container.SUFFIXES)
def test_a_changed_network_is_refused(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path, suffix)
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)
    with pytest.raises(CardError, match="SHA-256"):
        container.read(path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), suffix=st.sampled_from(container.SUFFIXES))
def test_a_cut_file_is_refused_in_one_sentence(tmp_path: Path, data: st.DataObject, suffix: str) -> None:
    path = write(tmp_path, suffix)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(CardError) as caught:
        container.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), suffix=st.sampled_from(container.SUFFIXES))
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"foreign{suffix}"
    path.write_bytes(content)
    with pytest.raises(CardError):
        container.read(path)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_shipped_model_never_reaches_native_code(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(SHIPPED_MODEL.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / "model.tflite"
    path.write_bytes(content)
    try:
        network, _ = container.read(path)
    except CardError:
        return
    assert network == container.read(SHIPPED_MODEL)[0]  # what was hit is padding between the parts of the zip


@pytest.mark.parametrize("name", ["model.h5", "model", "model.zip"])
def test_another_kind_of_file_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(CardError, match=r"ends in \.tflite or \.onnx"):
        container.read(tmp_path / name)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="No such file"):
        load_model(tmp_path / "none.tflite")
