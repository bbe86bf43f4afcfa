"""Model files of every kind, and ways to write files that contradict themselves."""

import bz2
import dataclasses
import functools
import hashlib
import io
import lzma
import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.support import stream_card, window_card

from edge.listener import Listener
from edge.model.card import Card
from edge.model.file import read_model_file
from edge.model.load import SHIPPED_MODEL, load_model
from edge.outputs.json_lines import JsonLines
from edge.outputs.terminal import LiveLine, PlainLines

NOISE = np.random.default_rng(0).normal(0, 0.1, (22_050, 1)).astype(np.float32)
NETWORK, CARD = read_model_file(SHIPPED_MODEL)
KINDS = [  # parameters for `genuine`; the ONNX ones need ONNX Runtime
    "shipped",
    pytest.param("stream", marks=pytest.mark.workstation),
    pytest.param("window", marks=pytest.mark.workstation),
]


def genuine(kind: str) -> tuple[str, bytes, Card]:
    """Suffix, network and card of a model that works: the shipped one in TFLite, or a tiny one in ONNX."""
    if kind == "shipped":
        return ".tflite", NETWORK, CARD
    card = stream_card() if kind == "stream" else window_card()
    network = onnx_network(card)
    return ".onnx", network, dataclasses.replace(card, network_sha256=hashlib.sha256(network).hexdigest())


def listen_to_noise(path: Path) -> str:
    """Load a model, give it ten seconds of noise, and show its answers in every view; returns the final state."""
    listener = Listener(load_model(path), 22_050)
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    views = [View(out, 3) for View in (JsonLines, PlainLines, LiveLine)]
    answers = [answer for _ in range(10) for answer in listener.process(NOISE)] + listener.flush()
    summary = listener.summary()
    for view in views:
        for answer in answers:
            assert all(math.isfinite(p) for p in (answer.time, answer.confidence, *(p for _, p in answer.top)))
            view.show(answer)
        view.summary(summary)
    return summary.state


def field(number: int, payload: bytes | str | int) -> bytes:
    """A protobuf field: a varint below 128, or bytes of any length."""
    if isinstance(payload, int):
        return bytes([number << 3, payload])
    payload = payload.encode() if isinstance(payload, str) else payload
    length = bytearray()
    rest = len(payload)
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([number << 3 | 2, *length, rest]) + payload


def onnx_network(card: Card) -> bytes:
    """ModelProto of probabilities = Softmax(Flatten(features) @ weights), with a counting state if the card has one."""

    def node(kind: str, inputs: tuple[str, ...], output: str) -> bytes:
        return field(1, b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, kind))

    def constant(name: str, values: np.ndarray) -> bytes:
        dims = b"".join(b"\x08" + bytes([size]) for size in values.shape)
        return field(5, dims + field(2, 1) + field(8, name) + field(9, values.astype("<f4").tobytes()))

    def value(number: int, name: str, shape: tuple[int, ...]) -> bytes:
        dims = b"".join(field(1, field(1, size)) for size in shape)
        return field(number, field(1, name) + field(2, field(1, field(1, 1) + field(2, dims))))

    n_mfcc, n_labels = card.front_end.n_mfcc, len(card.labels)
    weights = np.random.default_rng(1).normal(size=(card.frames * n_mfcc, n_labels))
    graph = node("Flatten", ("features",), "flat") + node("MatMul", ("flat", "weights"), "logits")
    graph += node("Softmax", ("logits",), "probabilities")
    stateful = card.tensors is not None and card.tensors.states
    graph += node("Add", ("count", "one"), "next_count") if stateful else b""
    graph += field(2, "test") + constant("weights", weights) + (constant("one", np.ones((1, 1))) if stateful else b"")
    graph += value(11, "features", (1, card.frames, n_mfcc)) + (value(11, "count", (1, 1)) if stateful else b"")
    graph += value(12, "probabilities", (1, n_labels)) + (value(12, "next_count", (1, 1)) if stateful else b"")
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


def with_card(network: bytes, text: bytes, suffix: str) -> bytes:
    """The file that `edge.model.file.pack` would write if it accepted any text as a card."""
    if suffix == ".onnx":
        pairs = (("card", text), ("card_sha256", hashlib.sha256(text).hexdigest()))
        return network + b"".join(field(14, field(1, key) + field(2, value)) for key, value in pairs)
    return network + zip_tail(text)


def zip_tail(
    text: bytes,
    *,
    packed: bytes | None = None,
    size: int | None = None,
    crc: int | None = None,
    name: bytes = b"card.json",
    method: int = zipfile.ZIP_STORED,
    flags: int = 0,
    extra: bytes = b"",
    offset: int = 0,
    copies: int = 1,
    shift: int = 0,
    comment: bytes = b"",
) -> bytes:
    """A zip of one member in which every number may be wrong (APPNOTE.TXT 4.3)."""
    packed = text if packed is None else packed
    size = len(text) if size is None else size
    crc = zlib.crc32(text) if crc is None else crc
    common = struct.pack("<5H3I2H", 20, flags, method, 0, 33, crc, len(packed), size, len(name), len(extra))
    local = b"PK\3\4" + common + name + extra + packed
    central = b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<3H2I", 0, 0, 0, 0, offset) + name + extra
    directory = central * copies
    sizes = struct.pack(
        "<4H2IH", 0, 0, copies % 65_536, copies % 65_536, len(directory), len(local) + shift, len(comment)
    )
    return local + directory + b"PK\5\6" + sizes + comment


@functools.cache
def compressed_zeros(method: int, size: int) -> bytes:
    """`size` zeros, compressed as a member of a zip."""
    zeros = bytes(size)
    if method == zipfile.ZIP_DEFLATED:
        return zlib.compress(zeros, wbits=-15)
    if method == zipfile.ZIP_BZIP2:
        return bz2.compress(zeros)
    filters: list[dict[str, Any]] = [{"id": lzma.FILTER_LZMA1}]
    return (
        struct.pack("<4BI", 9, 4, 5, 0, 0)[:4]
        + bytes([93, 0, 0, 128, 0])
        + lzma.compress(zeros, lzma.FORMAT_RAW, filters=filters)
    )
