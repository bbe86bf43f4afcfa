"""Native runtimes behind one interface: named float32 tensors in, named tensors out.

TFLite runs in tflite-runtime (Python up to 3.11) or its successor ai-edge-litert, ONNX in ONNX Runtime.
"""

import importlib
import importlib.util
import threading
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from edge.arrays import FloatArray
from edge.errors import EdgeError
from edge.model.card import CardError, Tensors

TFLITE_RUNTIMES = ("tflite_runtime", "ai_edge_litert")


class Network(Protocol):
    """A network that is ready to run; several threads may run it."""

    runtime: str  # name and version

    def run(self, inputs: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Run it once: inputs by tensor name → outputs by tensor name."""


class TFLiteNetwork:
    """A TFLite flatbuffer in the interpreter of tflite-runtime or ai-edge-litert."""

    def __init__(self, content: bytes, tensors: Tensors, threads: int, package: str) -> None:
        # tflite-runtime sets an Arm processor to round subnormal numbers to zero, of which numpy warns when it first
        # computes the limits of a type. Let it compute them before.
        np.finfo(np.float32)
        module = importlib.import_module(f"{package}.interpreter")
        self.runtime = f"{package} {importlib.import_module(package).__version__}"
        try:
            self._interpreter = module.Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise EdgeError(f"{self.runtime} can't run this network: {first_line(error)}") from None
        self._lock = threading.Lock()  # models that share this network may be in several threads
        inputs = self._interpreter.get_input_details()
        self._inputs = {d["name"]: d["index"] for d in inputs}
        self._outputs = {d["name"]: d["index"] for d in self._interpreter.get_output_details()}
        _check_tensors(tensors, {d["name"]: tuple(d["shape"].tolist()) for d in inputs}, self._outputs)

    def run(self, inputs: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Run it once. A fused LSTM starts from the zero state; otherwise it keeps the one of the call before."""
        with self._lock:
            self._interpreter.reset_all_variables()
            for name, value in inputs.items():
                self._interpreter.set_tensor(self._inputs[name], value)
            self._interpreter.invoke()
            return {name: self._interpreter.get_tensor(index) for name, index in self._outputs.items()}


class OnnxNetwork:
    """An ONNX model in ONNX Runtime."""

    def __init__(self, content: bytes, tensors: Tensors, threads: int) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise EdgeError("an .onnx model needs ONNX Runtime: pip install 'edge-listen[onnx]'") from None
        self.runtime = f"onnxruntime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions have no common base class
            raise EdgeError(f"{self.runtime} can't run this network: {first_line(error)}") from None
        self._outputs = [output.name for output in self._session.get_outputs()]
        # A dimension with a name instead of a number is the batch, here one stream.
        inputs = {
            entry.name: tuple(size if isinstance(size, int) else 1 for size in entry.shape)
            for entry in self._session.get_inputs()
        }
        _check_tensors(tensors, inputs, self._outputs)

    def run(self, inputs: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Run it once: inputs by tensor name → outputs by tensor name."""
        return dict(zip(self._outputs, self._session.run(self._outputs, inputs), strict=True))


def open_network(content: bytes, tensors: Tensors, suffix: str, threads: int, package: str | None) -> Network:
    """Open the network part of a model file; `package` is one of TFLITE_RUNTIMES, None means the first installed one.

    Raise EdgeError if no runtime is installed, or if it refuses the network.
    """
    if suffix == ".onnx":
        return OnnxNetwork(content, tensors, threads)
    return TFLiteNetwork(content, tensors, threads, package or installed_tflite_runtimes()[0])


def installed_tflite_runtimes() -> list[str]:
    """Members of TFLITE_RUNTIMES on this machine. Raise EdgeError if there is none."""
    if found := [package for package in TFLITE_RUNTIMES if importlib.util.find_spec(package)]:
        return found
    raise EdgeError(f"no TFLite runtime is installed: pip install {' or '.join(TFLITE_RUNTIMES)}")


def first_line(error: Exception) -> str:
    """First line of a native runtime's message, or the error's type if there is no message."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _check_tensors(tensors: Tensors, inputs: dict[str, tuple[int, ...]], outputs: Iterable[str]) -> None:
    """Raise CardError if the names or sizes differ, before anything of a size in the card is allocated."""
    card_inputs = [tensors.features, *(state.input for state in tensors.states)]
    card_outputs = {tensors.probabilities, *(state.output for state in tensors.states)}
    if sorted(card_inputs) != sorted(inputs) or not card_outputs <= set(outputs):
        raise CardError("the tensor names in the model card differ from the network's")
    for state in tensors.states:
        if state.shape != inputs[state.input]:
            raise CardError(f"the state {state.input} has the shape {inputs[state.input]}, in its card {state.shape}")
