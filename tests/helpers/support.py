"""Helpers of many tests: synthesised audio, a small model card, and a network double that needs no native runtime."""

import dataclasses
import os
import platform
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from edge.arrays import FloatArray
from edge.features.mfcc import FrontEnd
from edge.model.card import Accuracy, Card, Normalisation, State, Tensors, Thresholds, Training

Run = Callable[..., subprocess.CompletedProcess[str]]
# Prefix of a command that may mount file systems. Root needs no user namespace, and QEMU's user emulation has none.
UNSHARE = ("unshare", "--mount", *(["--map-root-user"] if os.geteuid() else []))
# tflite-runtime's wheels for Arm disable subnormal numbers when they are loaded, which hypothesis has to know.
floats = partial(st.floats, allow_subnormal=None if platform.machine() == "x86_64" else False)
LABELS = ("calm", "loud", "other")
# Those that the tests of decisions are written for. They are not taken from train.recipes: the tests must not change
# with a recipe, and tests/edge runs on machines that have no train.
THRESHOLDS = Thresholds(
    temperature=1.0,
    unknown_below=0.0,
    silence_dbfs=-60.0,
    silence_seconds=1.0,
    smoothing_seconds=1.0,
    switch_margin=0.1,
    warm_up_seconds=3.0,
    ripe_seconds=27.0,
    change_seconds=2.25,
    before_seconds=12.0,
    change_novelty=11.0,
)
STREAM_TENSORS = Tensors("features", "probabilities", (State("count", "next_count", (1, 1)),))


def stream_card(**changes: object) -> Card:
    """The card of a small stream model."""
    front_end = FrontEnd(n_fft=512, hop_length=256, n_mels=20, n_mfcc=5)
    card = Card(
        name="test",
        labels=LABELS,
        not_music=("other",),
        front_end=front_end,
        normalisation=Normalisation((0.0,) * 5, (1.0,) * 5),
        mode="stream",
        frames=4,
        window_samples=0,
        thresholds=dataclasses.replace(THRESHOLDS, warm_up_seconds=1.0),
        training=Training("edge", "tones", "tracks", False, 1, 9, (Accuracy(0.5, 0.3, 0.7, 9, "track"),)),
        versions={"keras": "3"},
        format="float32",
        tensors=STREAM_TENSORS,
    )
    return dataclasses.replace(card, **changes)  # type: ignore[arg-type]


def window_card(**changes: object) -> Card:
    """The card of a small window model: 8 frames, each 256 samples after the one before."""
    return stream_card(
        mode="window", frames=8, window_samples=512 + 7 * 256, tensors=Tensors("features", "probabilities"), **changes
    )


class CountingNetwork:
    """A network that records its inputs; its first probability is the number of calls since the state was zero."""

    runtime = "double"

    def __init__(self) -> None:
        self.calls: list[FloatArray] = []

    def run(self, inputs: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Count the call in the state."""
        self.calls.append(inputs["features"])
        count = inputs.get("count", np.zeros((1, 1), np.float32))
        probabilities = [count[0, 0] + 1, 0, 0]
        return {"probabilities": np.array([probabilities], np.float32), "next_count": count + 1}


def synthesise(seconds: float, rate: int, channels: int, seed: int = 0) -> np.ndarray:
    """Decaying harmonic tones on a random scale: (n, channels) samples."""
    rng = np.random.default_rng(seed)
    note = np.arange(rate // 4) / rate
    notes = []
    for _ in range(round(seconds * 4)):
        pitch = 220 * 2 ** (rng.integers(0, 24) / 12)
        harmonics = sum(np.sin(2 * np.pi * pitch * k * note) / k for k in range(1, 6))
        notes.append(0.2 * harmonics * np.exp(-6 * note))
    return np.repeat(np.concatenate(notes)[:, None], channels, axis=1).astype(np.float32)


def heed_sigint() -> None:
    """Handle SIGINT as in a terminal: a test run in the background of a script inherits that it is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Poll until the condition is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still false after {seconds} s"
        time.sleep(0.05)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The errors of a failed command; asserts that they are sentences without a traceback."""
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stderr.startswith("error: "), done.stderr
    return done.stderr


def shared(*parts: str) -> Path | None:
    """A path in the folder of corpora beside the checkout, or in the one that SHARED names; None if it is missing."""
    path = Path(os.environ.get("SHARED", Path(__file__).parents[3] / "shared")).joinpath(*parts)
    return path if path.exists() else None
