"""The card and the network in one file, and the check that they belong together.

`.tflite`: a flatbuffer with a zip behind it, which is what TFLite metadata is; the zip holds `card.json`.
`.onnx`: a protobuf message with two more `metadata_props` entries (field 14) behind it, keys `card` and `card_sha256`.
In both the network part is what precedes, byte for byte, and its SHA-256 stands in the card; the card has the CRC-32 of
the zip, or the SHA-256 beside it. All of it is checked in Python, and only the network part goes on to native code.
"""

import dataclasses
import hashlib
import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from edge.card import Card, CardError, from_json

SUFFIXES = (".tflite", ".onnx")
CARD_NAME = "card.json"
LABELS_NAME = "labels.txt"  # what the TFLite tools look for in the same place
ONNX_KEY = b"card"
ONNX_SUM_KEY = b"card_sha256"
NO_CARD = "no model card inside: the file is truncated, or was not written by convert.export"
METADATA_TAG = 14 << 3 | 2  # ModelProto.metadata_props, length-delimited

# What a file may cost before it is trusted.
LARGEST_FILE = 64 << 20
LARGEST_CARD = 1 << 20
LARGEST_TAIL = 2 * LARGEST_CARD  # the zip behind a .tflite; zipfile makes an object of each of its members
MOST_FIELDS = 10_000  # of a protobuf message, which are walked in Python; an exported one has dozens


def pack(network: bytes, card: Card, suffix: str) -> bytes:
    """The whole file: `network` with `card` behind it. `suffix` is one of SUFFIXES."""
    text = dataclasses.replace(card, network_sha256=hashlib.sha256(network).hexdigest()).to_json()
    if suffix == ".onnx":
        checksum = hashlib.sha256(text.encode()).hexdigest()
        return network + _metadata(ONNX_KEY, text.encode()) + _metadata(ONNX_SUM_KEY, checksum.encode())
    behind = io.BytesIO()
    with zipfile.ZipFile(behind, "w") as archive:
        for name, member in ((CARD_NAME, text), (LABELS_NAME, "\n".join(card.labels) + "\n")):
            archive.writestr(zipfile.ZipInfo(name), member)  # ZipInfo's fixed date keeps the file reproducible
    return network + behind.getvalue()


def read(path: str | Path) -> tuple[bytes, Card]:
    """Network part and card of a model file. Raise CardError, in one sentence, for any other file."""
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise CardError(f"{path}: a model ends in {' or '.join(SUFFIXES)}")
    try:
        content = _content(path)
        network, text = _split_onnx(content) if path.suffix == ".onnx" else _split_tflite(content)
        card = from_json(text)
    except CardError as error:
        raise CardError(f"{path}: {error}") from None
    if hashlib.sha256(network).hexdigest() != card.network_sha256:
        raise CardError(f"{path}: the network is damaged: its SHA-256 is not the one in its card")
    if card.tensors is None:
        raise CardError(f"{path}: the model card names no tensors; export the run again")
    return network, card


def _content(path: Path) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise CardError("a model is a file, and this is none")  # a device or a pipe may never end
        if found.st_size > LARGEST_FILE:
            raise CardError(f"no model of this project: it is larger than {LARGEST_FILE >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise CardError(f"can't read the model: {error.strerror}") from None


def _split_tflite(content: bytes) -> tuple[bytes, bytes]:
    before = max(0, len(content) - LARGEST_TAIL)
    try:
        with zipfile.ZipFile(io.BytesIO(content[before:])) as archive:
            start = before + min(info.header_offset for info in archive.infolist())
            card = archive.getinfo(CARD_NAME)
            # As `pack` writes it: what is compressed may say that it is small, and unpack to gigabytes all the same.
            if card.compress_type == zipfile.ZIP_STORED and card.file_size <= LARGEST_CARD:
                return content[:start], archive.read(card)
    except Exception:  # zipfile also lets through what its parts raise: struct.error, OverflowError …
        pass
    raise CardError(NO_CARD)


def _split_onnx(content: bytes) -> tuple[bytes, bytes]:
    found: dict[bytes, tuple[int, bytes]] = {}
    try:
        for start, tag, payload in _fields(content):
            if tag == METADATA_TAG:
                entry = {tag >> 3: value for _, tag, value in _fields(payload)}
                found.setdefault(entry.get(1, b""), (start, entry.get(2, b"")))
    except ValueError:
        found.clear()  # no protobuf: no card either
    if ONNX_KEY not in found:
        raise CardError(NO_CARD)
    start, text = found[ONNX_KEY]
    if ONNX_SUM_KEY not in found:
        raise CardError(f"the model card has no checksum ({ONNX_SUM_KEY.decode()}); export the run again")
    if found[ONNX_SUM_KEY][1] != hashlib.sha256(text).hexdigest().encode():
        raise CardError("the model card is damaged: its SHA-256 is not the one beside it")
    if len(text) > LARGEST_CARD:
        raise CardError(f"the model card is larger than {LARGEST_CARD >> 20} MiB")
    return content[:start], text


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Start, tag and payload of each field of a protobuf message (wire format of protobuf.dev/encoding)."""
    position = 0
    for _ in range(MOST_FIELDS):
        if position >= len(message):
            return
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
    raise ValueError(f"a protobuf message of more than {MOST_FIELDS} fields")


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


def _metadata(key: bytes, value: bytes) -> bytes:
    """One entry of ModelProto.metadata_props."""
    return _field(METADATA_TAG >> 3, _field(1, key) + _field(2, value))


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
