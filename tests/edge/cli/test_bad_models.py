"""Model files that edge-listen refuses in one sentence."""

import struct
from pathlib import Path

import pytest
from helpers.model_files import CARD, NETWORK, compressed_zeros, with_card, zip_tail
from helpers.support import Run, one_sentence

from edge.model.file import pack
from edge.model.load import SHIPPED_MODEL

SHIPPED = SHIPPED_MODEL.read_bytes()
CARD_TEXT = CARD.to_json().encode()


def replaced(old: bytes, new: bytes) -> bytes:
    """The shipped model with another text in its card, whose checksum fits."""
    assert old in CARD_TEXT
    return with_card(NETWORK, CARD_TEXT.replace(old, new), ".tflite")


BAD_MODELS = {
    "truncated.tflite": SHIPPED[: len(SHIPPED) // 2],
    "cut.tflite": SHIPPED[:-1000],
    "without_card.tflite": SHIPPED[: SHIPPED.rindex(b"PK\x03\x04")],
    "foreign.tflite": b"TFL3 but not really" * 100,
    "foreign.onnx": b"\x08\x07" + bytes(500),
    "empty.tflite": b"",
    "flipped.tflite": SHIPPED[:1000] + bytes([SHIPPED[1000] ^ 1]) + SHIPPED[1001:],
    "relabelled.tflite": SHIPPED.replace(b'"blues"', b'"bluez"'),
    "relabelled.onnx": pack(NETWORK, CARD, ".onnx").replace(b'"blues"', b'"bluez"'),
    "bomb.tflite": NETWORK + zip_tail(b"", packed=compressed_zeros(8, 96 << 20), size=9, method=8),
    "far.tflite": NETWORK + zip_tail(CARD_TEXT, extra=struct.pack("<2HQ", 1, 8, 2**64 - 1), offset=2**32 - 1),
    "deep.tflite": with_card(NETWORK, b"[" * 900 + b"]" * 900, ".tflite"),
    "shape.tflite": replaced(b"448", b"4480000000000"),
    "surrogate.tflite": replaced(b'"blues"', b'"\\ud800"'),
    "digits.tflite": replaced(b'"frames": 8', b'"frames": ' + b"8" * 4000),
}


QUICK = {"truncated.tflite", "foreign.onnx", "relabelled.tflite", "bomb.tflite"}  # the others take seconds together


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in BAD_MODELS]
)
def test_a_bad_model_is_refused_in_one_sentence(run: Run, melody: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BAD_MODELS[name])
    done = run("edge.cli.listen", melody, "--model", tmp_path / name)
    assert (done.returncode, done.stdout) == (1, "")
    assert name in one_sentence(done)
    assert done.stderr.count("\n") == 1, done.stderr
