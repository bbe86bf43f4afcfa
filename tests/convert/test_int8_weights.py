import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from convert.int8_weights import store_as_int8
from edge.model.runtime import installed_tflite_runtimes
from train.backend import tf

pytestmark = pytest.mark.workstation

INPUTS, UNITS, SMALL = 64, 96, 3
RUN = """
import importlib, sys
import numpy as np
interpreter = importlib.import_module(sys.argv[1] + ".interpreter").Interpreter("network.tflite")
interpreter.allocate_tensors()
outputs = []
for row in np.load("x.npy"):
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], row[None])
    interpreter.invoke()
    outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
np.save("outputs.npy", outputs)
"""


def on_grid(weights: np.ndarray) -> np.ndarray:
    step = np.abs(weights).max() / 127
    return (np.round(weights / step) * step).astype(np.float32)


def flatbuffer(matrix: np.ndarray) -> bytes:
    """A network of `matrix` and a small matrix after it."""
    last = tf.constant(np.random.default_rng(1).normal(0, 1, (UNITS, SMALL)).astype(np.float32))
    constant = tf.constant(matrix)

    @tf.function(input_signature=[tf.TensorSpec((1, INPUTS), tf.float32)])
    def network(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu(x @ constant) @ last

    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([network.get_concrete_function()]).convert())


def outputs_of(content: bytes, x: np.ndarray, package: str, folder: Path) -> np.ndarray:
    """Outputs of a runtime for (n, INPUTS), in a process of its own: it fails in one that has imported TensorFlow."""
    (folder / "network.tflite").write_bytes(content)
    np.save(folder / "x.npy", x)
    subprocess.run([sys.executable, "-c", RUN, package], cwd=folder, check=True, capture_output=True, timeout=120)
    outputs: np.ndarray = np.load(folder / "outputs.npy")
    return outputs


@pytest.fixture
def matrix() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (INPUTS, UNITS)).astype(np.float32)


@pytest.mark.parametrize("package", installed_tflite_runtimes())
def test_a_matrix_on_an_int8_grid_takes_a_quarter_of_the_size_at_equal_outputs(
    matrix: np.ndarray, package: str, tmp_path: Path
) -> None:
    whole = flatbuffer(on_grid(matrix))
    packed = store_as_int8(whole)
    assert len(whole) - len(packed) > 2.9 * matrix.size - 1000
    x = np.random.default_rng(2).normal(0, 1, (5, INPUTS)).astype(np.float32)
    np.testing.assert_allclose(
        outputs_of(packed, x, package, tmp_path), outputs_of(whole, x, package, tmp_path), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("package", installed_tflite_runtimes())
def test_a_matrix_off_the_grid_is_not_changed(matrix: np.ndarray, package: str, tmp_path: Path) -> None:
    whole = flatbuffer(matrix)
    packed = store_as_int8(whole)
    assert len(packed) > len(whole) - 100
    x = np.random.default_rng(2).normal(0, 1, (5, INPUTS)).astype(np.float32)
    np.testing.assert_array_equal(outputs_of(packed, x, package, tmp_path), outputs_of(whole, x, package, tmp_path))
