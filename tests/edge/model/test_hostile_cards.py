"""Cards that say anything: refused, or harmless. FUZZ_EXAMPLES=20000 searches longer than a test run does."""

import copy
import functools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.hostile import EXAMPLES, Child, fuzz
from helpers.model_files import CARD, KINDS, NETWORK, genuine, listen_to_noise, with_card
from helpers.support import floats, window_card
from hypothesis import event, given
from hypothesis import strategies as st

from edge.model.card import Card

PER_KIND = max(EXAMPLES // len(KINDS), 10)


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    child = Child(listen_to_noise)
    yield child
    child.close()


NUMBERS = [0, -1, 1, 2, 3, 5, 8, 40, 512, 4096, 65_536, 65_537, 100_000, 2**31, 2**62, 2**64, 10**400]
NUMBERS += [-0.0, 0.5, 1e-6, 1e-300, 5e-324, 1e6, 3e38, 1e300, -1e300, math.nan, math.inf, -math.inf]  # type: ignore[list-item]
WORDS = ["", "blues", "stream", "window", "h", "c", "count", "features", "Identity", "Identity_4", "next_count"]
WORDS += ["a\nb", "\x1b[2J", "\ud800", "\0", "\u2028", "é", "x" * 5000]
DEEP = functools.reduce(lambda inner, _: [inner], range(900), [])  # type: ignore[var-annotated]
ODD = [None, True, [], {}, [[]], [1], [1, 1], [1, 448], [10**9, 10**9], [-1], ["a", "a"], {"a": 1}, {"a\nb": 1}]
ANYTHING = st.sampled_from([*NUMBERS, *WORDS, *ODD]) | st.integers() | floats() | st.text(max_size=20)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in nested dicts and lists; of a list, the first two items."""
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
            new = copy.deepcopy(draw(ANYTHING))  # the next change may be inside it
        inside[key] = new  # type: ignore[index]
    return fields


@pytest.mark.parametrize("kind", KINDS)
@fuzz(max_examples=PER_KIND)
@given(data=st.data())
def test_a_card_with_any_values_is_refused_or_its_model_runs(
    tmp_path: Path, child: Child, data: st.DataObject, kind: str
) -> None:
    """The hash of the network is right, so that everything else in the card is taken at its word."""
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
    """A card of the right types, names and shapes, in which each number is anywhere in its range."""
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


@pytest.mark.parametrize("kind", KINDS)
@fuzz(max_examples=PER_KIND)
@given(data=st.data())
def test_a_card_with_any_numbers_in_range_is_refused_or_its_model_runs(
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
    ("changes", "sentence"),
    [
        ({"tensors.states.0.shape": [10**9, 448]}, "shape"),
        ({"tensors.states.0.shape": [-1]}, "shape"),
        ({"tensors.states.0.shape": [1 << 62]}, "shape"),
        ({"tensors.states.0.output": "Identity_1"}, "shapes"),  # correct as an output, too large as an input
        ({"tensors.states": [STATE, STATE]}, "tensor names"),
        ({"tensors.features": "h", "tensors.states.0.input": "features"}, "shape"),
        ({"tensors.probabilities": "Identity_2", "labels": [f"l{i}" for i in range(448)], "not_music": []}, "448 prob"),
        ({"front_end.hop_length": 1, "front_end.n_fft": 65_536}, "frames per second"),
        ({"front_end.hop_length": 64, "front_end.n_fft": 65_536}, "n_fft 65536 is too large"),
        ({"front_end.n_mels": 1024, "front_end.n_fft": 65_536, "front_end.hop_length": 32_768}, "n_mels"),
        ({"front_end.f_min": 11_024.999999}, "apart"),
        ({"thresholds.change_seconds": 600.0, "front_end.hop_length": 32}, "blocks"),
        ({"thresholds.temperature": 1e-3}, "temperature"),
        ({"thresholds.warm_up_seconds": 10**400}, "64 bits"),
        ({"normalisation.scale.3": 1e-320}, "scale"),
        ({"normalisation.mean.3": 1e300}, "mean"),
        ({"labels.0": "\ud800"}, "not printable"),  # can't be encoded, either
        ({"labels.0": "blues\x1b[2J"}, "not printable"),
        ({"versions": {"a\nb": "1"}}, "not printable"),
        ({"name": DEEP}, "card"),  # too deep even for an error message
        ({"mode": "window", "window_samples": 2048 + 7 * 1024}, "window"),
        (
            {"front_end.n_mfcc": 80, "normalisation.mean": [0.0] * 80, "normalisation.scale": [1.0] * 80},
            "shapes",
        ),
        ({"frames": 100_000, "thresholds.change_seconds": 600.0}, "shapes"),
    ],
)
def test_a_harmful_card_is_refused(tmp_path: Path, child: Child, changes: dict[str, Any], sentence: str) -> None:
    fields = json.loads(CARD.to_json())
    for place, value in changes.items():
        put(fields, place, value)
    (tmp_path / "hostile.tflite").write_bytes(with_card(NETWORK, json.dumps(fields).encode(), ".tflite"))
    assert sentence in child(tmp_path / "hostile.tflite").partition("error: ")[2]


def test_a_window_of_minutes_is_refused(tmp_path: Path, child: Child) -> None:
    fields = json.loads(window_card().to_json()) | {"frames": 90_000, "window_samples": 512 + 89_999 * 256}
    (tmp_path / "long.tflite").write_bytes(with_card(NETWORK, json.dumps(fields).encode(), ".tflite"))
    assert "longer than 60 s" in child(tmp_path / "long.tflite")
