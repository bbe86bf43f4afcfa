"""Every architecture is the network that ships: two blocks in one call give the same result as two calls."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.model.load import load_model
from edge.model.streaming import StreamModel

pytestmark = [pytest.mark.workstation, pytest.mark.slow]

BLOCKS = (1, 2)
FORMATS = ("float32", "dynamic")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The networks, written by a process of their own, like everything that loads TensorFlow."""
    folder = tmp_path_factory.mktemp("architectures")
    arguments = [folder, "--blocks", *map(str, BLOCKS)]
    command = [sys.executable, "-m", "benchmarks.cost.architectures", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def probabilities_after_eight_blocks(path: Path) -> np.ndarray:
    model = load_model(path)
    assert isinstance(model, StreamModel)
    blocks = np.random.default_rng(0).normal(0, 1, (8 * load_model().card.frames, model.card.front_end.n_mfcc))
    for call in blocks.astype(np.float32).reshape(-1, model.card.frames, model.card.front_end.n_mfcc):
        probabilities = model.infer(call)
    return probabilities


def test_steps_give_the_same_result_for_any_number_of_blocks_per_call(folder: Path) -> None:
    one, two = (probabilities_after_eight_blocks(folder / f"step-{blocks}-float32.tflite") for blocks in BLOCKS)
    np.testing.assert_allclose(two, one, atol=1e-5)


def test_a_fused_network_of_every_size_and_format_runs(folder: Path) -> None:
    for blocks in BLOCKS:
        for kind in FORMATS:
            probabilities = probabilities_after_eight_blocks(folder / f"fused-{blocks}-{kind}.tflite")
            assert probabilities.sum() == pytest.approx(1, abs=1e-3)
