"""The native runtimes behind one call: named float32 tensors in, named tensors out.

tflite-runtime where there is one (Python up to 3.11), else its successor ai-edge-litert; ONNX Runtime for `.onnx`.
"""

import importlib
import importlib.util
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from edge.card import CardError, Tensors
from edge.errors import EdgeError
from edge.frontend import FloatArray
from edge.quiet import quiet_native_code

TFLITE_RUNTIMES = ("tflite_runtime", "ai_edge_litert")


class Network(Protocol):
    """A network that is ready to run."""

    runtime: str  # name and version

    def run(self, inputs: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Outputs by tensor name."""


class TFLiteNetwork:
    """A TFLite flatbuffer in the interpreter of tflite-runtime or ai-edge-litert."""

    def __init__(self, content: bytes, tensors: Tensors, threads: int, package: str) -> None:
        # tflite-runtime lets an Arm processor round subnormal numbers to zero, of which numpy would warn the user where
        # it first asks for the limits of a type: it asks now.
        np.finfo(np.float32)
        module = importlib.import_module(f"{package}.interpreter")
        self.runtime = f"{package} {importlib.import_module(package).__version__}"
        try:
            with quiet_native_code():  # TFLite greets; its errors are exceptions besides
                self._interpreter = module.Interpreter(model_content=content, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise EdgeError(f"{self.runtime} can't run this network: {first_line(error)}") from None
        inputs = self._interpreter.get_input_details()
        self._inputs = {d["name"]: d["index"] for d in inputs}
        self._outputs = {d["name"]: d["index"] for d in self._interpreter.get_output_details()}
        _check_tensors(tensors, {d["name"]: tuple(d["shape"].tolist()) for d in inputs}, self._outputs)

    def run(self, inputs: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Outputs by tensor name. A fused LSTM starts from zero: it would keep its state from the call before."""
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
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise EdgeError(f"{self.runtime} can't run this network: {first_line(error)}") from None
        self._outputs = [output.name for output in self._session.get_outputs()]
        # A dimension with a name instead of a number is the batch, which is one stream here.
        inputs = {
            entry.name: tuple(size if isinstance(size, int) else 1 for size in entry.shape)
            for entry in self._session.get_inputs()
        }
        _check_tensors(tensors, inputs, self._outputs)

    def run(self, inputs: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Outputs by tensor name."""
        return dict(zip(self._outputs, self._session.run(self._outputs, inputs), strict=True))


def open_network(content: bytes, tensors: Tensors, suffix: str, threads: int, package: str | None) -> Network:
    """Open the network part of a model file; `package` names one of TFLITE_RUNTIMES, None the first that is there.

    Raise EdgeError when no runtime is installed, or when it refuses the network.
    """
    if suffix == ".onnx":
        return OnnxNetwork(content, tensors, threads)
    return TFLiteNetwork(content, tensors, threads, package or installed_tflite_runtimes()[0])


def installed_tflite_runtimes() -> list[str]:
    """Those of TFLITE_RUNTIMES that this machine has, at least one. Raise EdgeError where there is none."""
    if found := [package for package in TFLITE_RUNTIMES if importlib.util.find_spec(package)]:
        return found
    raise EdgeError(f"no TFLite runtime is installed: pip install {' or '.join(TFLITE_RUNTIMES)}")


def first_line(error: Exception) -> str:
    """What a native runtime says, which may be pages, or nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _check_tensors(tensors: Tensors, inputs: dict[str, tuple[int, ...]], outputs: Iterable[str]) -> None:
    """Raise CardError before anything of the size that the card says is made for a network that has another."""
    wanted_in = [tensors.features, *(state.input for state in tensors.states)]
    wanted_out = {tensors.probabilities, *(state.output for state in tensors.states)}
    if sorted(wanted_in) != sorted(inputs) or not wanted_out <= set(outputs):
        raise CardError("the model card names other tensors than the network has")
    for state in tensors.states:
        if state.shape != inputs[state.input]:
            raise CardError(f"the state {state.input} has the shape {inputs[state.input]}, not the one of its card")
