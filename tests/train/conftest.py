"""A corpus of tones and noise: three classes that sound different, every clip its own."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from train.recipes import EDGE, RECIPES

RATE = 22_050
CLASSES = ("chirp", "hiss", "hum")
MakeCorpus = Callable[..., Path]


def sound(label: str, seconds: float, rng: np.random.Generator) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    noise = 0.01 * rng.normal(size=len(t))
    pitch = rng.uniform(100, 200)
    if label == "chirp":
        return 0.3 * np.sin(2 * np.pi * (800 * t + 300 * np.sin(pitch / 50 * t))) + noise
    if label == "hiss":
        return 15 * noise
    return sum(0.2 / k * np.sin(2 * np.pi * pitch * k * t) for k in range(1, 6)) + noise


@pytest.fixture(scope="session")
def make_corpus(tmp_path_factory: pytest.TempPathFactory) -> MakeCorpus:
    def make(clips: int = 5, seconds: float = 6.5, classes: tuple[str, ...] = CLASSES) -> Path:
        root = tmp_path_factory.mktemp("corpus")
        rng = np.random.default_rng(clips)
        for label in classes:
            (root / label).mkdir()
            for number in range(clips):
                path = root / label / f"{label}.{number:05}.wav"
                soundfile.write(path, sound(label, seconds, rng), RATE)
        return root

    return make


@pytest.fixture(scope="session")
def corpus(make_corpus: MakeCorpus) -> Path:
    """A corpus that no test changes."""
    return make_corpus()


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def small_edge() -> Iterator[None]:
    """The recipe edge with a network that trains in a moment, for tests of what is around it."""
    assert EDGE.stream is not None
    stream = dataclasses.replace(EDGE.stream, filters=8, projection=16, lstm_units=16, crop_windows=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "edge", dataclasses.replace(EDGE, batch=8, stream=stream))
        yield
