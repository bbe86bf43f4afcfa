"""Conversion to TFLite: float32, dynamic range or full int8.

Run in a process of its own, `python -m convert.to_tflite RUN FORMAT OUT`: TensorFlow's converter can crash natively,
and tf_keras must be enabled before TensorFlow is imported.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convert import reference
from convert.int8_weights import store_as_int8
from convert.rewrites import fusable, unrolled
from convert.run_folder import FEATURES, NEXT, PROBABILITIES, apply, load_card, load_features, load_network
from edge.arrays import FloatArray
from edge.cli.exit_status import run as run_command
from edge.model.card import State, Tensors
from edge.model.file import pack
from edge.native_stderr import silence_native_stderr
from train.run.folder import CALIBRATION

if TYPE_CHECKING:
    import keras

FORMATS = ("float32", "dynamic", "int8")
CALIBRATION_CALLS = 500
# The fused LSTM of a window network has int16 cell states anyway. A stream network consists of plain layers, and 256
# levels are too few for the sums of its gates and for a running mean that moves by 1/100 per step: int8 weights with
# int8 activations gave the label of Keras in 86 % of the calls, with int16 activations in 99 %.
INTEGER_OPS = {
    "window": ("TFLITE_BUILTINS_INT8",),
    "stream": ("EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8", "TFLITE_BUILTINS"),
}


def calibration_calls(network: "keras.Model", inputs: FloatArray, frames: int) -> Iterator[dict[str, FloatArray]]:
    """Yield CALIBRATION_CALLS real inputs, states included, drawn from (clips, total frames, n_mfcc) features."""
    steps = max(1, inputs.shape[1] // frames)
    rng = np.random.default_rng(0)
    clips_a_step = max(1, round(CALIBRATION_CALLS / steps))
    for fed, _ in reference.walk(network, inputs, frames):
        for clip in rng.integers(len(inputs), size=clips_a_step):
            yield {name: np.ascontiguousarray(value[clip : clip + 1], np.float32) for name, value in fed.items()}


def window_converter(network: "keras.Model") -> tuple[Any, Tensors]:
    """TensorFlow's converter for a window network, and the names that its tensors will have."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(fusable(network))
    return converter, Tensors(f"serving_default_{FEATURES}:0", "StatefulPartitionedCall:0")


def stream_converter(network: "keras.Model", kind: str) -> tuple[Any, Tensors]:
    """TensorFlow's converter for a stream network, and the names that its tensors will have."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    rewritten = unrolled(network, float_head=kind == "dynamic")
    specs = [tf.TensorSpec((1, *t.shape[1:]), tf.float32, name=t.name) for t in network.inputs]

    @tf.function  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def one_call(*fed: Any) -> Any:
        return apply(rewritten, {spec.name: value for spec, value in zip(specs, fed, strict=True)})

    function = one_call.get_concrete_function(*specs)
    # The converter would save variables of Keras 3 uninitialised; constants are saved correctly.
    frozen = convert_variables_to_constants_v2(function)
    # The outputs of a frozen function are numbered in the order of the sorted dict.
    outputs = {key: f"Identity_{i}" if i else "Identity" for i, key in enumerate(sorted(function.structured_outputs))}
    states = tuple(State(s.name, outputs[NEXT + s.name], tuple(s.shape)) for s in specs if s.name != FEATURES)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    return converter, Tensors(FEATURES, outputs[PROBABILITIES], states)


def remove_cell_clip(content: bytes) -> bytes:
    """Remove the clipping of cell states from the fused LSTMs of a flatbuffer; return the new flatbuffer.

    The converter writes cell_clip = 10 into each of them. Keras does not clip, and cell states exceed 10 if the inputs
    are raw MFCCs: without this a first seed model differed from Keras by up to 0.32 in probability.
    """
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    for graph in model.subgraphs:
        for operator in graph.operators:
            if hasattr(operator.builtinOptions, "cellClip"):
                operator.builtinOptions.cellClip = 0.0
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def quantise(converter: Any) -> None:
    """Set the converter to int8 weights, which without a representative dataset means dynamic range."""
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # Per-channel dense layers are FULLY_CONNECTED version 12, which tflite-runtime 2.14.0 refuses.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def convert(run: Path, kind: str) -> tuple[bytes, Tensors]:
    """Convert the network of a run to the format `kind`: the flatbuffer and the names of its tensors."""
    import tensorflow as tf

    card, network = load_card(run), load_network(run)
    converter, tensors = window_converter(network) if card.mode == "window" else stream_converter(network, kind)
    if kind != "float32":
        quantise(converter)
    if kind == "int8":
        inputs = load_features(run, CALIBRATION).inputs
        names = [tensor.name for tensor in network.inputs]
        converter.representative_dataset = lambda: (
            [fed[name] for name in names] for fed in calibration_calls(network, inputs, card.frames)
        )
        converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, name) for name in INTEGER_OPS[card.mode]]
        return converter.convert(), tensors
    content = remove_cell_clip(converter.convert())
    return store_as_int8(content) if kind == "float32" else content, tensors


def main() -> int:
    """Write one model file with its card."""
    p = argparse.ArgumentParser(prog="python -m convert.to_tflite")
    p.add_argument("run", type=Path)
    p.add_argument("format", choices=FORMATS)
    p.add_argument("out", type=Path)
    args = p.parse_args()
    content, tensors = convert(args.run, args.format)
    args.out.write_bytes(pack(content, load_card(args.run).exported(args.format, tensors), ".tflite"))
    return 0


if __name__ == "__main__":
    silence_native_stderr()
    sys.exit(run_command(main, extra="train,convert"))
