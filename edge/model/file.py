"""Model files: the card and the network in one file, and the check that they belong together.

`.tflite`: a flatbuffer followed by a zip, which is the format of TFLite metadata; the zip holds `card.json`.
`.onnx`: a protobuf message with two more `metadata_props` entries (field 14) at its end, `card` and `card_sha256`.
In both, the network part is what precedes, byte for byte, and its SHA-256 is in the card. The card is protected by the
CRC-32 of the zip or by `card_sha256`. Everything is checked in Python before the network part reaches native code.
"""

import dataclasses
import hashlib
import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from edge.model.card import Card, CardError, from_json

SUFFIXES = (".tflite", ".onnx")
CARD_NAME = "card.json"
LABELS_NAME = "labels.txt"  # for the TFLite tools, which look for it there
ONNX_KEY = b"card"
ONNX_SUM_KEY = b"card_sha256"
NO_CARD = "no model card inside: the file is truncated, or was not written by convert.export"
METADATA_TAG = 14 << 3 | 2  # ModelProto.metadata_props, length-delimited

# Limits on the work for a file that is not trusted yet; sizes in bytes.
MAX_FILE = 64 << 20
MAX_CARD = 1 << 20
MAX_ZIP = 2 * MAX_CARD  # zipfile creates an object for each member
MAX_FIELDS = 10_000  # of a protobuf message, read in Python; an exported one has dozens


def pack(network: bytes, card: Card, suffix: str) -> bytes:
    """Content of a model file: `network` followed by `card`. `suffix` is one of SUFFIXES."""
    text = dataclasses.replace(card, network_sha256=hashlib.sha256(network).hexdigest()).to_json()
    if suffix == ".onnx":
        checksum = hashlib.sha256(text.encode()).hexdigest()
        return network + _metadata(ONNX_KEY, text.encode()) + _metadata(ONNX_SUM_KEY, checksum.encode())
    tail = io.BytesIO()
    with zipfile.ZipFile(tail, "w") as archive:
        for name, member in ((CARD_NAME, text), (LABELS_NAME, "\n".join(card.labels) + "\n")):
            archive.writestr(zipfile.ZipInfo(name), member)  # ZipInfo's fixed date keeps the file reproducible
    return network + tail.getvalue()


def read_model_file(path: str | Path) -> tuple[bytes, Card]:
    """Read the network part and the card of a model file. Raise CardError for any other file."""
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise CardError(f"{path}: the name of a model file must end in {' or '.join(SUFFIXES)}")
    try:
        content = _content(path)
        network, text = _split_onnx(content) if path.suffix == ".onnx" else _split_tflite(content)
        card = from_json(text)
    except CardError as error:
        raise CardError(f"{path}: {error}") from None
    if hashlib.sha256(network).hexdigest() != card.network_sha256:
        raise CardError(f"{path}: the network is damaged: its SHA-256 differs from the one in its card")
    if card.tensors is None:
        raise CardError(f"{path}: the model card names no tensors; export the run again")
    return network, card


def _content(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CardError("not a regular file")  # a device or a pipe may never end
        if status.st_size > MAX_FILE:
            raise CardError(f"not a model file: larger than {MAX_FILE >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise CardError(f"can't read the model: {error.strerror}") from None


def _split_tflite(content: bytes) -> tuple[bytes, bytes]:
    before = max(0, len(content) - MAX_ZIP)
    try:
        with zipfile.ZipFile(io.BytesIO(content[before:])) as archive:
            start = before + min(info.header_offset for info in archive.infolist())
            card = archive.getinfo(CARD_NAME)
            # Stored, as `pack` writes it: a compressed member may unpack to more than its header says.
            if card.compress_type == zipfile.ZIP_STORED and card.file_size <= MAX_CARD:
                return content[:start], archive.read(card)
    except Exception:  # zipfile raises struct.error, OverflowError and others besides its own
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
        found.clear()  # not protobuf
    if ONNX_KEY not in found:
        raise CardError(NO_CARD)
    start, text = found[ONNX_KEY]
    if ONNX_SUM_KEY not in found:
        raise CardError(f"the model card has no checksum ({ONNX_SUM_KEY.decode()}); export the run again")
    if found[ONNX_SUM_KEY][1] != hashlib.sha256(text).hexdigest().encode():
        raise CardError("the model card is damaged: its SHA-256 differs from the one beside it")
    if len(text) > MAX_CARD:
        raise CardError(f"the model card is larger than {MAX_CARD >> 20} MiB")
    return content[:start], text


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Start, tag and payload of each field of a protobuf message (wire format: protobuf.dev/encoding)."""
    position = 0
    for _ in range(MAX_FIELDS):
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
            raise ValueError(f"not a protobuf wire type: {kind}")
        if position + length > len(message):
            raise ValueError("a protobuf field extends past the end of its message")
        yield start, tag, message[position : position + length]
        position += length
    raise ValueError(f"a protobuf message with more than {MAX_FIELDS} fields")


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
    raise ValueError("a protobuf varint has no end")


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
