"""Damaged model files, and zip archives that contradict themselves. FUZZ_EXAMPLES=20000 searches longer."""

import functools
import importlib
import importlib.util
import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.hostile import EXAMPLES, Child, damaged, fuzz
from helpers.model_files import (
    CARD,
    KINDS,
    NETWORK,
    NOISE,
    compressed_zeros,
    genuine,
    listen_to_noise,
    with_card,
    zip_tail,
)
from hypothesis import event, given
from hypothesis import strategies as st

from edge.errors import EdgeError
from edge.model.file import pack
from edge.model.load import load_model
from edge.model.runtime import installed_tflite_runtimes

PER_KIND = max(EXAMPLES // len(KINDS), 10)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Contents that native code is given to open from now on."""
    seen: list[bytes] = []
    module = importlib.import_module(f"{installed_tflite_runtimes()[0]}.interpreter")
    interpreter = module.Interpreter

    def open_tflite(*, model_content: bytes, num_threads: int) -> Any:
        seen.append(model_content)
        return interpreter(model_content=model_content, num_threads=num_threads)

    monkeypatch.setattr(module, "Interpreter", open_tflite)
    if importlib.util.find_spec("onnxruntime"):
        onnxruntime = importlib.import_module("onnxruntime")
        session = onnxruntime.InferenceSession

        def open_onnx(content: bytes, *rest: Any, **more: Any) -> Any:
            seen.append(content)
            return session(content, *rest, **more)

        monkeypatch.setattr(onnxruntime, "InferenceSession", open_onnx)
    return seen


def probabilities_of_noise(path: Path) -> list[float]:
    model = load_model(path)
    model.advance(NOISE[:, 0])
    probabilities = model.probabilities()
    assert probabilities is not None
    return probabilities.tolist()


@functools.cache
def genuine_probabilities(kind: str, folder: Path) -> list[float]:
    suffix, network, card = genuine(kind)
    path = folder / f"genuine{suffix}"
    path.write_bytes(pack(network, card, suffix))
    return probabilities_of_noise(path)


def refused_unless_intact(path: Path, content: bytes, kind: str, opened: list[bytes]) -> str:
    """Assert that the file is refused before native code, or that its network and card are intact."""
    _, network, card = genuine(kind)
    expected = genuine_probabilities(kind, path.parent)
    path.write_bytes(content)
    opened.clear()
    try:
        answer = probabilities_of_noise(path)
    except EdgeError as error:
        assert opened == []
        assert str(error).startswith(f"{path}: ")
        assert "\n" not in str(error)
        return "refused"
    else:
        assert opened == [network]
        assert load_model(path).card == card
        assert answer == expected
        return "intact"


@pytest.mark.parametrize("kind", KINDS)
@fuzz(max_examples=PER_KIND)
@given(data=st.data())
def test_a_damaged_model_never_reaches_native_code(
    tmp_path: Path, opened: list[bytes], data: st.DataObject, kind: str
) -> None:
    suffix, network, card = genuine(kind)
    content = data.draw(damaged(pack(network, card, suffix), ends=200))
    event(refused_unless_intact(tmp_path / f"damaged{suffix}", content, kind, opened))


@pytest.mark.parametrize("kind", KINDS)
@fuzz(max_examples=PER_KIND)
@given(data=st.data())
def test_a_damaged_card_never_reaches_native_code(
    tmp_path: Path, opened: list[bytes], data: st.DataObject, kind: str
) -> None:
    """The network is intact, so only the checksum of the card can reveal it: the CRC of the zip, or the SHA-256."""
    suffix, network, card = genuine(kind)
    tail = pack(network, card, suffix)[len(network) :]
    content = network + data.draw(damaged(tail, ends=100))
    event(refused_unless_intact(tmp_path / f"damaged{suffix}", content, kind, opened))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_card_that_is_still_a_valid_card_is_refused(tmp_path: Path, opened: list[bytes], kind: str) -> None:
    """One bit turns a label into another one, which only a checksum reveals."""
    suffix, network, card = genuine(kind)
    label = card.labels[0]
    content = pack(network, card, suffix)
    start = content.index(label.encode(), len(network))
    content = content[:start] + bytes([content[start] ^ 1]) + content[start + 1 :]
    assert refused_unless_intact(tmp_path / f"other{suffix}", content, kind, opened) == "refused"


@fuzz()
@given(
    faults=st.fixed_dictionaries(
        {},
        optional={
            "size": st.sampled_from([0, 1, 1 << 20, 2**31, 2**32 - 1]),
            "crc": st.sampled_from([0, 1]),
            "name": st.sampled_from([b"", b"card.json\0", b"../card.json", b"CARD.JSON", b"\xff\xfe", b"x" * 300]),
            "method": st.sampled_from([1, 8, 9, 12, 14, 93, 95, 99, 65_535]),
            "flags": st.sampled_from([0x1, 0x8, 0x20, 0x40, 0x800, 0xFFFF]),
            "extra": st.sampled_from([b"\1\0\x08\0" + bytes(8), b"\1\0\x18\0" + b"\xff" * 24, b"\1\0\xff\xff", b"\1\0"])
            | st.binary(max_size=40),
            "offset": st.sampled_from([1, 30, 2**31, 2**32 - 1]),
            "copies": st.sampled_from([0, 2, 1000]),
            "shift": st.sampled_from([-1, 1, 100, 2**31]),
            "comment": st.binary(max_size=100),
            "packed": st.sampled_from([b"", b"PK\5\6", bytes(1000)]),
        },
    ),
    tails=st.integers(1, 2),
)
def test_an_inconsistent_zip_never_reaches_native_code(
    tmp_path: Path, opened: list[bytes], faults: dict[str, Any], tails: int
) -> None:
    tail = zip_tail(CARD.to_json().encode(), **faults)
    event(refused_unless_intact(tmp_path / "faults.tflite", NETWORK + tail * tails, "shipped", opened))


@fuzz(max_examples=max(EXAMPLES // 4, 10))
@given(offset=st.integers(0, 2**64 - 1), size=st.integers(0, 2**64 - 1))
def test_64_bit_numbers_of_a_zip_never_reach_native_code(
    tmp_path: Path, opened: list[bytes], offset: int, size: int
) -> None:
    """Sizes and offsets of all ones mean that the extra field of zip64 holds the real ones."""
    text = CARD.to_json().encode()
    tail = zip_tail(text, extra=struct.pack("<2H2Q", 1, 16, size, offset), size=2**32 - 1, offset=2**32 - 1)
    event(refused_unless_intact(tmp_path / "zip64.tflite", NETWORK + tail, "shipped", opened))


def test_the_card_of_another_model_is_refused(tmp_path: Path, opened: list[bytes]) -> None:
    other = pack(NETWORK[::-1], CARD, ".tflite")[len(NETWORK) :]
    (tmp_path / "mixed.tflite").write_bytes(NETWORK + other)
    with pytest.raises(EdgeError, match="SHA-256"):
        load_model(tmp_path / "mixed.tflite")
    assert opened == []


@fuzz()
@given(
    text=st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.sampled_from([b"[" * 900, b"1" * 5000])
)
def test_a_card_that_is_not_json_is_refused(tmp_path: Path, opened: list[bytes], text: bytes) -> None:
    path = tmp_path / "foreign.tflite"
    path.write_bytes(with_card(NETWORK, text, ".tflite"))
    with pytest.raises(EdgeError, match="card") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    assert opened == []


@pytest.fixture(scope="module")
def little_memory() -> Iterator[Child]:
    """Refusing a file may take little more memory than the file itself."""
    child = Child(listen_to_noise, memory=48 << 20)
    yield child
    child.close()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("size", [1000, 1 << 20, 2**32 - 1])
def test_a_card_that_unpacks_to_more_than_its_header_says_is_refused_in_little_memory(
    tmp_path: Path, little_memory: Child, method: int, size: int
) -> None:
    tail = zip_tail(b"", packed=compressed_zeros(method, 96 << 20), size=size, method=method)
    (tmp_path / "bomb.tflite").write_bytes(NETWORK + tail)
    assert "no model card inside" in little_memory(tmp_path / "bomb.tflite")


def test_a_zip_with_very_many_members_is_refused_in_little_memory(tmp_path: Path, little_memory: Child) -> None:
    (tmp_path / "many.tflite").write_bytes(zip_tail(b"{}", copies=200_000))
    assert "no model card inside" in little_memory(tmp_path / "many.tflite")


def test_a_protobuf_message_with_very_many_fields_is_refused(tmp_path: Path, little_memory: Child) -> None:
    (tmp_path / "many.onnx").write_bytes(bytes.fromhex("0800") * 5_000_000)
    assert "no model card inside" in little_memory(tmp_path / "many.onnx")


def test_a_device_a_pipe_and_a_huge_file_are_not_read(tmp_path: Path, little_memory: Child) -> None:
    (tmp_path / "zero.tflite").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.tflite")
    with (tmp_path / "huge.tflite").open("wb") as huge:
        huge.truncate(1 << 40)
    assert "not a regular file" in little_memory(tmp_path / "zero.tflite")
    assert "not a regular file" in little_memory(tmp_path / "pipe.tflite")
    assert "larger than" in little_memory(tmp_path / "huge.tflite")
