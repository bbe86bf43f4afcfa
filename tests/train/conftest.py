"""A corpus of synthetic clips (three classes that sound different) and small runs on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.training import fit_arguments, small_edge_recipe

from train import fit

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
    with small_edge_recipe():
        yield


@pytest.fixture(scope="session")
def edge_run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a small network of the recipe `edge`, which no test changes."""
    run = tmp_path_factory.mktemp("runs") / "edge"
    with small_edge_recipe():
        assert fit.main(fit_arguments(corpus, run, "edge", "tracks", 3)) == 0
    return run


@pytest.fixture(scope="session")
def seed_run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the recipe `seed`."""
    run = tmp_path_factory.mktemp("runs") / "seed"
    assert fit.main(fit_arguments(corpus, run, "seed", "segments", 2)) == 0
    return run


@pytest.fixture(scope="session")
def leaky_edge_run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the recipe `edge` with a split by segments."""
    run = tmp_path_factory.mktemp("runs") / "leaky"
    with small_edge_recipe():
        assert fit.main(fit_arguments(corpus, run, "edge", "segments", 1)) == 0
    return run
