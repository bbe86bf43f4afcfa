"""Model files on disk; damaged and hostile ones are in test_damaged_files.py and test_hostile_cards.py."""

from pathlib import Path

import pytest
from helpers.support import stream_card
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.model.card import CardError
from edge.model.file import SUFFIXES, pack, read_model_file
from edge.model.load import SHIPPED_MODEL

NETWORK = (b"\x3a\x40" + bytes(64)) * 3  # a protobuf message: field 7 of 64 bytes, three times


def write(folder: Path, suffix: str) -> Path:
    path = folder / f"model{suffix}"
    path.write_bytes(pack(NETWORK, stream_card(), suffix))
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_network_and_card_are_read_as_they_were_written(tmp_path: Path, suffix: str) -> None:
    network, card = read_model_file(write(tmp_path, suffix))
    assert network == NETWORK
    assert card.labels == stream_card().labels


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_packing_is_reproducible(suffix: str) -> None:
    assert pack(NETWORK, stream_card(), suffix) == pack(NETWORK, stream_card(), suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_changed_network_is_refused(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path, suffix)
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)
    with pytest.raises(CardError, match="SHA-256"):
        read_model_file(path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), suffix=st.sampled_from(SUFFIXES))
def test_a_truncated_file_is_refused_in_one_sentence(tmp_path: Path, data: st.DataObject, suffix: str) -> None:
    path = write(tmp_path, suffix)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(CardError) as caught:
        read_model_file(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), suffix=st.sampled_from(SUFFIXES))
def test_any_other_file_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"foreign{suffix}"
    path.write_bytes(content)
    with pytest.raises(CardError):
        read_model_file(path)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_shipped_model_is_refused_or_its_network_is_intact(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(SHIPPED_MODEL.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / "model.tflite"
    path.write_bytes(content)
    try:
        network, _ = read_model_file(path)
    except CardError:
        return
    assert network == read_model_file(SHIPPED_MODEL)[0]  # only unused bytes of the zip were changed


@pytest.mark.parametrize("name", ["model.h5", "model", "model.zip"])
def test_a_file_with_another_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CardError, match=r"must end in \.tflite or \.onnx"):
        read_model_file(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"none\.tflite: can't read the model: No such file"):
        read_model_file(tmp_path / "none.tflite")
