"""The card and the network in one file, and the check that they belong together.

`.tflite`: a flatbuffer with a zip behind it, which is what TFLite metadata is; the zip holds `card.json`.
`.onnx`: a protobuf message with one more `metadata_props` entry (field 14) behind it, key `card`.
In both the network part is what precedes, byte for byte, and its SHA-256 stands in the card. All of it is checked in
Python, and only the network part goes on to native code.
"""

import dataclasses
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from edge.card import Card, CardError, from_json

SUFFIXES = (".tflite", ".onnx")
CARD_NAME = "card.json"
LABELS_NAME = "labels.txt"  # what the TFLite tools look for in the same place
ONNX_KEY = b"card"
NO_CARD = "no model card inside: the file is truncated, or was not written by convert.export"
METADATA_TAG = 14 << 3 | 2  # ModelProto.metadata_props, length-delimited


def pack(network: bytes, card: Card, suffix: str) -> bytes:
    """The whole file: `network` with `card` behind it. `suffix` is one of SUFFIXES."""
    text = dataclasses.replace(card, network_sha256=hashlib.sha256(network).hexdigest()).to_json()
    if suffix == ".onnx":
        entry = _field(1, ONNX_KEY) + _field(2, text.encode())
        return network + _field(14, entry)
    behind = io.BytesIO()
    with zipfile.ZipFile(behind, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in ((CARD_NAME, text), (LABELS_NAME, "\n".join(card.labels) + "\n")):
            archive.writestr(zipfile.ZipInfo(name), member)  # ZipInfo's fixed date keeps the file reproducible
    return network + behind.getvalue()


def read(path: str | Path) -> tuple[bytes, Card]:
    """Network part and card of a model file. Raise CardError, in one sentence, for any other file."""
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise CardError(f"{path}: a model ends in {' or '.join(SUFFIXES)}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CardError(f"{path}: can't read the model: {error.strerror}") from None
    try:
        network, text = _split_onnx(content) if path.suffix == ".onnx" else _split_tflite(content)
        card = from_json(text)
    except CardError as error:
        raise CardError(f"{path}: {error}") from None
    if hashlib.sha256(network).hexdigest() != card.network_sha256:
        raise CardError(f"{path}: the network is damaged: its SHA-256 is not the one in its card")
    if card.tensors is None:
        raise CardError(f"{path}: the model card names no tensors; export the run again")
    return network, card


def _split_tflite(content: bytes) -> tuple[bytes, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            start = min(info.header_offset for info in archive.infolist())
            info = archive.getinfo(CARD_NAME)
            if info.file_size > 1 << 20:
                raise CardError("the model card is larger than 1 MiB")
            return content[:start], archive.read(info)
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError, OSError):
        raise CardError(NO_CARD) from None


def _split_onnx(content: bytes) -> tuple[bytes, bytes]:
    try:
        for start, tag, payload in _fields(content):
            if tag == METADATA_TAG:
                entry = {tag >> 3: value for _, tag, value in _fields(payload)}
                if entry.get(1) == ONNX_KEY and 2 in entry:
                    return content[:start], entry[2]
    except ValueError:
        pass  # no protobuf: no card either
    raise CardError(NO_CARD)


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Start, tag and payload of each field of a protobuf message (wire format of protobuf.dev/encoding)."""
    position = 0
    while position < len(message):
        start = position
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == 2:
            length, position = _varint(message, position)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        elif kind == 0:
            length = _varint(message, position)[1] - position
        else:
            raise ValueError(f"no protobuf wire type: {kind}")
        if position + length > len(message):
            raise ValueError("a protobuf field ends behind its message")
        yield start, tag, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            break
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a protobuf varint doesn't end")


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return _as_varint(number << 3 | 2) + _as_varint(len(payload)) + payload


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
