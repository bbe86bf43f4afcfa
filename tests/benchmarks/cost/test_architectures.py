"""The shapes are the network that ships: what one says of two blocks in one call, the other says after two calls."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cost.architectures import FORMATS
from edge.model import StreamModel, load

BLOCKS = (1, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a process of its own, as everything that loads TensorFlow."""
    folder = tmp_path_factory.mktemp("shapes")
    words = [folder, "--blocks", *map(str, BLOCKS)]
    done = subprocess.run([sys.executable, "-m", "benchmarks.cost.architectures", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def said_after_eight_blocks(path: Path) -> np.ndarray:
    model = load(path)
    assert isinstance(model, StreamModel)
    blocks = np.random.default_rng(0).normal(0, 1, (8 * load().card.frames, model.card.front_end.n_mfcc))
    for call in blocks.astype(np.float32).reshape(-1, model.card.frames, model.card.front_end.n_mfcc):
        said = model.infer(call)
    return said


def test_steps_say_the_same_however_many_are_in_a_call(folder: Path) -> None:
    one, two = (said_after_eight_blocks(folder / f"step-{blocks}-float32.tflite") for blocks in BLOCKS)
    np.testing.assert_allclose(two, one, atol=1e-5)


def test_a_fused_network_of_every_size_and_format_runs(folder: Path) -> None:
    for blocks in BLOCKS:
        for kind in FORMATS:
            said = said_after_eight_blocks(folder / f"fused-{blocks}-{kind}.tflite")
            assert said.sum() == pytest.approx(1, abs=1e-3)
