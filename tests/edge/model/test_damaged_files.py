"""Model files and cards that are damaged or hostile. FUZZ_EXAMPLES=20000 searches longer than a test run does."""

import bz2
import copy
import dataclasses
import functools
import hashlib
import importlib
import importlib.util
import io
import json
import lzma
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.hostile import EXAMPLES, Child, damaged, fuzz
from hypothesis import event, given
from hypothesis import strategies as st
from helpers.support import Run, floats, one_sentence, stream_card, window_card

from edge import container
from edge.model.card import Card
from edge.listener import Listener
from edge.errors import EdgeError
from edge.model.load import SHIPPED_MODEL, load_model
from edge.model.runtime import installed_tflite_runtimes
from edge.outputs.json_lines import JsonLines
from edge.outputs.terminal import LiveLine, PlainLines

NOISE = np.random.default_rng(0).normal(0, 0.1, (22_050, 1)).astype(np.float32)
NETWORK, CARD = container.read(SHIPPED_MODEL)


def listened(path: Path) -> str:
    """Load a model and let it hear ten seconds, through all that shows an answer; returns its last state."""
    listener = Listener(load_model(path), 22_050)
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    views = [View(out, 3) for View in (JsonLines, PlainLines, LiveLine)]
    answers = [answer for _ in range(10) for answer in listener.hear(NOISE)]
    last, whole = listener.finish()
    for view in views:
        for answer in (*answers, *last):
            assert all(math.isfinite(p) for p in (answer.t, answer.confidence, *(p for _, p in answer.top)))
            view.show(answer)
        view.final(whole)
    return whole.state


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    child = Child(listened)
    yield child
    child.close()


def field(number: int, payload: bytes | str | int) -> bytes:
    """A protobuf field of less than 128 bytes, or of any number of them."""
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
    """probabilities = Softmax(Flatten(features) @ weights), and a state that counts if the card has one: ModelProto."""

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


def genuine(kind: str) -> tuple[str, bytes, Card]:
    """Suffix, network and card of a model that works: the shipped one, or a tiny one of the other container."""
    if kind == "shipped":
        return ".tflite", NETWORK, CARD
    card = stream_card() if kind == "stream" else window_card()
    network = onnx_network(card)
    return ".onnx", network, dataclasses.replace(card, network_sha256=hashlib.sha256(network).hexdigest())


KINDS = ("shipped", "stream", "window") if importlib.util.find_spec("onnxruntime") else ("shipped",)


def with_card(network: bytes, text: bytes, suffix: str) -> bytes:
    """The file that `container.pack` would write if it took any text for a card."""
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
    """A zip of one member, in which every number may be a lie (APPNOTE.TXT 4.3)."""
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


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Whatever native code is given to open, from now on."""
    seen: list[bytes] = []
    module = importlib.import_module(f"{installed_tflite_runtimes()[0]}.interpreter")
    interpreter = module.Interpreter

    def open_tflite(*, model_content: bytes, num_threads: int) -> Any:
        seen.append(model_content)
        return interpreter(model_content=model_content, num_threads=num_threads)

    monkeypatch.setattr(module, "Interpreter", open_tflite)
    if len(KINDS) > 1:
        onnxruntime = importlib.import_module("onnxruntime")
        session = onnxruntime.InferenceSession

        def open_onnx(content: bytes, *rest: Any, **more: Any) -> Any:
            seen.append(content)
            return session(content, *rest, **more)

        monkeypatch.setattr(onnxruntime, "InferenceSession", open_onnx)
    return seen


def heard(path: Path) -> list[float]:
    model = load_model(path)
    model.advance(NOISE[:, 0])
    probabilities = model.probabilities()
    assert probabilities is not None
    return probabilities.tolist()


@functools.cache
def genuine_answer(kind: str, folder: Path) -> list[float]:
    suffix, network, card = genuine(kind)
    path = folder / f"genuine{suffix}"
    path.write_bytes(container.pack(network, card, suffix))
    return heard(path)


def refused_unless_whole(path: Path, content: bytes, kind: str, handed: list[bytes]) -> str:
    """One sentence and nothing for native code; only where network and card are untouched, the genuine answer."""
    _, network, card = genuine(kind)
    expected = genuine_answer(kind, path.parent)
    path.write_bytes(content)
    handed.clear()
    try:
        answer = heard(path)
    except EdgeError as error:
        assert handed == []
        assert str(error).startswith(f"{path}: ")
        assert "\n" not in str(error)
        return "refused"
    else:
        assert handed == [network]
        assert load_model(path).card == card
        assert answer == expected
        return "whole"


@fuzz()
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_a_damaged_model_never_reaches_native_code(
    tmp_path: Path, handed: list[bytes], data: st.DataObject, kind: str
) -> None:
    suffix, network, card = genuine(kind)
    content = data.draw(damaged(container.pack(network, card, suffix), ends=200))
    event(refused_unless_whole(tmp_path / f"damaged{suffix}", content, kind, handed))


@fuzz()
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_a_damaged_card_never_reaches_native_code(
    tmp_path: Path, handed: list[bytes], data: st.DataObject, kind: str
) -> None:
    """The network is whole, so that only what guards the card can find it: the CRC of the zip, or the SHA-256."""
    suffix, network, card = genuine(kind)
    behind = container.pack(network, card, suffix)[len(network) :]
    content = network + data.draw(damaged(behind, ends=100))
    event(refused_unless_whole(tmp_path / f"damaged{suffix}", content, kind, handed))


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_that_is_damaged_but_still_a_card_is_refused(tmp_path: Path, handed: list[bytes], kind: str) -> None:
    """One bit makes another label of a label: whoever doesn't compare a checksum would never know."""
    suffix, network, card = genuine(kind)
    label = card.labels[0]
    content = container.pack(network, card, suffix)
    start = content.index(label.encode(), len(network))
    content = content[:start] + bytes([content[start] ^ 1]) + content[start + 1 :]
    assert refused_unless_whole(tmp_path / f"other{suffix}", content, kind, handed) == "refused"


@fuzz()
@given(
    lies=st.fixed_dictionaries(
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
def test_a_zip_that_lies_never_reaches_native_code(
    tmp_path: Path, handed: list[bytes], lies: dict[str, Any], tails: int
) -> None:
    tail = zip_tail(CARD.to_json().encode(), **lies)
    event(refused_unless_whole(tmp_path / "lies.tflite", NETWORK + tail * tails, "shipped", handed))


@fuzz(max_examples=max(EXAMPLES // 4, 10))
@given(offset=st.integers(0, 2**64 - 1), size=st.integers(0, 2**64 - 1))
def test_64_bit_numbers_of_a_zip_never_reach_native_code(
    tmp_path: Path, handed: list[bytes], offset: int, size: int
) -> None:
    """Sizes and offsets of all ones say that the extra field of zip64 holds the true ones."""
    text = CARD.to_json().encode()
    tail = zip_tail(text, extra=struct.pack("<2H2Q", 1, 16, size, offset), size=2**32 - 1, offset=2**32 - 1)
    event(refused_unless_whole(tmp_path / "zip64.tflite", NETWORK + tail, "shipped", handed))


def test_the_card_of_another_model_is_refused(tmp_path: Path, handed: list[bytes]) -> None:
    other = container.pack(NETWORK[::-1], CARD, ".tflite")[len(NETWORK) :]
    (tmp_path / "mixed.tflite").write_bytes(NETWORK + other)
    with pytest.raises(EdgeError, match="SHA-256"):
        load_model(tmp_path / "mixed.tflite")
    assert handed == []


def unpacks_to(method: int, size: int) -> bytes:
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


@pytest.fixture(scope="module")
def little_memory() -> Iterator[Child]:
    """What refuses a file may not take more memory than the file itself and some."""
    child = Child(listened, memory=48 << 20)
    yield child
    child.close()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("size", [1000, 1 << 20, 2**32 - 1])
def test_a_card_that_unpacks_to_far_more_than_it_says_is_refused_in_little_memory(
    tmp_path: Path, little_memory: Child, method: int, size: int
) -> None:
    tail = zip_tail(b"", packed=unpacks_to(method, 96 << 20), size=size, method=method)
    (tmp_path / "bomb.tflite").write_bytes(NETWORK + tail)
    assert "no model card inside" in little_memory(tmp_path / "bomb.tflite")


def test_a_zip_of_very_many_members_is_refused_in_little_memory(tmp_path: Path, little_memory: Child) -> None:
    (tmp_path / "many.tflite").write_bytes(zip_tail(b"{}", copies=200_000))
    assert "no model card inside" in little_memory(tmp_path / "many.tflite")


def test_a_protobuf_of_very_many_fields_is_refused_at_once(tmp_path: Path, little_memory: Child) -> None:
    (tmp_path / "many.onnx").write_bytes(bytes.fromhex("0800") * 5_000_000)
    assert "no model card inside" in little_memory(tmp_path / "many.onnx")


def test_what_never_ends_or_is_huge_is_not_read(tmp_path: Path, little_memory: Child) -> None:
    (tmp_path / "zero.tflite").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.tflite")
    with (tmp_path / "huge.tflite").open("wb") as huge:
        huge.truncate(1 << 40)
    assert "is none" in little_memory(tmp_path / "zero.tflite")
    assert "is none" in little_memory(tmp_path / "pipe.tflite")
    assert "larger than" in little_memory(tmp_path / "huge.tflite")


NUMBERS = [0, -1, 1, 2, 3, 5, 8, 40, 512, 4096, 65_536, 65_537, 100_000, 2**31, 2**62, 2**64, 10**400]
NUMBERS += [-0.0, 0.5, 1e-6, 1e-300, 5e-324, 1e6, 3e38, 1e300, -1e300, math.nan, math.inf, -math.inf]  # type: ignore[list-item]
WORDS = ["", "blues", "stream", "window", "h", "c", "count", "features", "Identity", "Identity_4", "next_count"]
WORDS += ["a\nb", "\x1b[2J", "\ud800", "\0", "\u2028", "é", "x" * 5000]
DEEP = functools.reduce(lambda inner, _: [inner], range(900), [])  # type: ignore[var-annotated]
ODD = [None, True, [], {}, [[]], [1], [1, 1], [1, 448], [10**9, 10**9], [-1], ["a", "a"], {"a": 1}, {"a\nb": 1}]
ANYTHING = st.sampled_from([*NUMBERS, *WORDS, *ODD]) | st.integers() | floats() | st.text(max_size=20)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in nested dicts and lists; of a long list, the first two."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@st.composite
def hostile(draw: st.DrawFn, fields: dict[str, Any]) -> dict[str, Any]:
    """A card with one to four values exchanged, doubled, dropped or swapped with others."""
    fields = copy.deepcopy(fields)
    for _ in range(draw(st.integers(1, 4))):
        *parents, key = draw(st.sampled_from(list(places(fields))))
        inside = functools.reduce(lambda value, step: value[step], parents, fields)
        old = inside[key]  # type: ignore[index]
        change = draw(st.sampled_from(["anything", "scale", "scale", "resize", "drop", "swap"]))
        if change == "scale" and isinstance(old, int | float) and not isinstance(old, bool) and abs(old) < 1e300:
            scaled = old * draw(st.sampled_from([-1, 0.001, 0.1, 0.5, 2, 3, 10, 1000, 100_000]))
            new = round(scaled) if isinstance(old, int) else scaled
        elif change == "resize" and isinstance(old, list):
            new = (old * 3)[: draw(st.integers(0, 3 * len(old)))]
        elif change == "swap":
            others = list(places(fields))
            new = copy.deepcopy(
                functools.reduce(lambda value, step: value[step], draw(st.sampled_from(others)), fields)  # type: ignore
            )
        elif change == "drop":
            del inside[key]  # type: ignore[attr-defined]
            continue
        else:
            new = copy.deepcopy(draw(ANYTHING))  # the next change may be one inside it
        inside[key] = new  # type: ignore[index]
    return fields


@fuzz()
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_whatever_a_card_says_it_is_refused_or_its_model_runs(
    tmp_path: Path, child: Child, data: st.DataObject, kind: str
) -> None:
    """The hash of the network is right: a card can say anything, and be believed as far as it does no harm."""
    suffix, network, card = genuine(kind)
    fields = data.draw(hostile(json.loads(card.to_json())))
    path = tmp_path / f"hostile{suffix}"
    path.write_bytes(with_card(network, json.dumps(fields).encode(), suffix))
    event(child(path).replace(str(path), "")[:40])


def powers(least: float, most: float) -> st.SearchStrategy[float]:
    """Numbers of every order of magnitude."""
    return floats(math.log(least), math.log(most)).map(math.exp)


@st.composite
def fitting(draw: st.DrawFn, card: Card) -> dict[str, Any]:
    """A card of the right types, names and shapes, in which each number is any that it could be."""
    fields = json.loads(card.to_json())
    front_end, n_mfcc = fields["front_end"], card.front_end.n_mfcc
    front_end["sample_rate"] = round(draw(powers(1000, 384_000)))
    front_end["n_fft"] = round(draw(powers(50, 65_536)))
    front_end["hop_length"] = max(1, round(front_end["n_fft"] * draw(powers(0.02, 1))))
    front_end["n_mels"] = round(draw(powers(n_mfcc, 1024)))
    front_end["f_min"], front_end["f_max"] = sorted(draw(floats(0, front_end["sample_rate"] / 2)) for _ in range(2))
    if card.mode == "window":
        front_end["center"], front_end["top_db"] = draw(st.booleans()), draw(st.none() | powers(1e-9, 1e9))
        padding = 2 * (front_end["n_fft"] // 2) * front_end["center"]
        fields["window_samples"] = front_end["n_fft"] + (card.frames - 1) * front_end["hop_length"] - padding
    for name in fields["thresholds"]:
        if draw(st.booleans()):
            bounded = name in ("temperature", "ripe_seconds", "change_seconds", "before_seconds")
            numbers = powers(0.09, 100) if bounded else floats(-1e308, 1e308) | powers(1e-300, 1e300)
            fields["thresholds"][name] = draw(numbers)
    fields["normalisation"]["mean"] = [draw(floats(-1e6, 1e6))] * n_mfcc
    fields["normalisation"]["scale"] = [draw(powers(1e-6, 1e6))] * n_mfcc
    return fields


@fuzz()
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_whatever_the_numbers_of_a_card_it_is_refused_or_its_model_runs(
    tmp_path: Path, child: Child, data: st.DataObject, kind: str
) -> None:
    suffix, network, card = genuine(kind)
    path = tmp_path / f"numbers{suffix}"
    path.write_bytes(with_card(network, json.dumps(data.draw(fitting(card))).encode(), suffix))
    event(child(path).partition(str(path))[0])


def put(fields: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    *parents, key = [int(step) if step.isdecimal() else step for step in place.split(".")]
    functools.reduce(lambda inside, step: inside[step], parents, fields)[key] = value  # type: ignore[index]
    return fields


STATE = {"input": "h", "output": "Identity_2", "shape": [1, 448]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tensors.states.0.shape": [10**9, 448]}, "shape"),
        ({"tensors.states.0.shape": [-1]}, "shape"),
        ({"tensors.states.0.shape": [1 << 62]}, "shape"),
        ({"tensors.states.0.output": "Identity_1"}, "other shapes"),  # goes out well, and can't go in again
        ({"tensors.states": [STATE, STATE]}, "other tensors"),
        ({"tensors.features": "h", "tensors.states.0.input": "features"}, "shape"),
        ({"tensors.probabilities": "Identity_2", "labels": [f"l{i}" for i in range(448)], "not_music": []}, "448 prob"),
        ({"front_end.hop_length": 1, "front_end.n_fft": 65_536}, "frames a second"),
        ({"front_end.hop_length": 64, "front_end.n_fft": 65_536}, "too much"),
        ({"front_end.n_mels": 1024, "front_end.n_fft": 65_536, "front_end.hop_length": 32_768}, "n_mels"),
        ({"front_end.f_min": 11_024.999999}, "apart"),
        ({"thresholds.change_seconds": 600.0, "front_end.hop_length": 32}, "blocks"),
        ({"thresholds.temperature": 1e-3}, "temperature"),
        ({"thresholds.warm_up_seconds": 10**400}, "64 bits"),
        ({"normalisation.scale.3": 1e-320}, "scale"),
        ({"normalisation.mean.3": 1e300}, "mean"),
        ({"labels.0": "\ud800"}, "can't be shown"),  # can't be written to a terminal, either
        ({"labels.0": "blues\x1b[2J"}, "can't be shown"),
        ({"versions": {"a\nb": "1"}}, "can't be shown"),
        ({"name": DEEP}, "card"),  # not even to be shown in an error
        ({"mode": "window", "window_samples": 2048 + 7 * 1024}, "window"),
        ({"front_end.n_mfcc": 80, "normalisation.mean": [0.0] * 80, "normalisation.scale": [1.0] * 80}, "other shapes"),
        ({"frames": 100_000, "thresholds.change_seconds": 600.0}, "other shapes"),
    ],
)
def test_a_card_that_would_do_harm_is_refused(tmp_path: Path, child: Child, changes: dict[str, Any], said: str) -> None:
    fields = json.loads(CARD.to_json())
    for place, value in changes.items():
        put(fields, place, value)
    (tmp_path / "hostile.tflite").write_bytes(with_card(NETWORK, json.dumps(fields).encode(), ".tflite"))
    assert said in child(tmp_path / "hostile.tflite").partition("error: ")[2]


def test_a_window_longer_than_any_model_needs_is_refused(tmp_path: Path, child: Child) -> None:
    fields = json.loads(window_card().to_json()) | {"frames": 90_000, "window_samples": 512 + 89_999 * 256}
    (tmp_path / "long.tflite").write_bytes(with_card(NETWORK, json.dumps(fields).encode(), ".tflite"))
    assert "longer than 60 s" in child(tmp_path / "long.tflite")


@fuzz()
@given(
    text=st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.sampled_from([b"[" * 900, b"1" * 5000])
)
def test_a_card_that_is_no_json_is_refused(tmp_path: Path, handed: list[bytes], text: bytes) -> None:
    path = tmp_path / "foreign.tflite"
    path.write_bytes(with_card(NETWORK, text, ".tflite"))
    with pytest.raises(EdgeError, match="card") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    assert handed == []


def bad_files() -> Iterator[tuple[str, bytes]]:
    good = SHIPPED_MODEL.read_bytes()
    text = CARD.to_json().encode()
    yield "cut.tflite", good[:-1000]
    yield "flipped.tflite", good[:1000] + bytes([good[1000] ^ 1]) + good[1001:]
    yield "relabelled.tflite", good.replace(b'"blues"', b'"bluez"')
    yield "bomb.tflite", NETWORK + zip_tail(b"", packed=unpacks_to(8, 96 << 20), size=9, method=8)
    yield "far.tflite", NETWORK + zip_tail(text, extra=struct.pack("<2HQ", 1, 8, 2**64 - 1), offset=2**32 - 1)
    yield "deep.tflite", with_card(NETWORK, b"[" * 900 + b"]" * 900, ".tflite")
    yield "shape.tflite", with_card(NETWORK, text.replace(b"448", b"4480000000000"), ".tflite")
    yield "surrogate.tflite", with_card(NETWORK, text.replace(b'"blues"', b'"\\ud800"'), ".tflite")
    yield "digits.tflite", with_card(NETWORK, text.replace(b'"frames": 8', b'"frames": ' + b"8" * 4000), ".tflite")
    yield "relabelled.onnx", container.pack(NETWORK, CARD, ".onnx").replace(b'"blues"', b'"bluez"')


def test_the_command_refuses_every_bad_model_in_one_sentence(run: Run, melody: Path, tmp_path: Path) -> None:
    for name, content in bad_files():
        (tmp_path / name).write_bytes(content)
        done = run("edge.cli.listen", melody, "--model", tmp_path / name)
        assert (done.returncode, done.stdout) == (1, ""), name
        assert name in one_sentence(done)
        assert done.stderr.count("\n") == 1, done.stderr
