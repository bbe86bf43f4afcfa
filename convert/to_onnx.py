"""Conversion to ONNX by tf2onnx, which recognises LSTM nodes only if the batch size is dynamic.

Run in a process of its own: `python -m convert.to_onnx RUN OUT`.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.run_folder import FEATURES, NEXT, PROBABILITIES, apply, load_card, load_network
from edge.cli.exit_status import run as run_command
from edge.model.card import State, Tensors
from edge.model.file import pack
from edge.native_stderr import silence_native_stderr

if TYPE_CHECKING:
    import keras

OPSET = 17


def convert(network: "keras.Model") -> tuple[bytes, Tensors]:
    """Convert a Keras network: the serialised ONNX model and the names of its tensors."""
    import onnx
    import tensorflow as tf
    import tf2onnx

    specs = [tf.TensorSpec((None, *t.shape[1:]), tf.float32, name=t.name) for t in network.inputs]
    names = [spec.name for spec in specs]

    def one_call(*fed: Any) -> Any:
        return apply(network, dict(zip(names, fed, strict=True)))

    function = tf.function(one_call, input_signature=specs)
    model, _ = tf2onnx.convert.from_function(function, input_signature=specs, opset=OPSET)
    onnx.checker.check_model(model, full_check=True)
    states = tuple(State(s.name, NEXT + s.name, (1, *s.shape[1:])) for s in specs if s.name != FEATURES)
    return model.SerializeToString(), Tensors(FEATURES, PROBABILITIES, states)


def main() -> int:
    """Write one model file with its card."""
    p = argparse.ArgumentParser(prog="python -m convert.to_onnx")
    p.add_argument("run", type=Path)
    p.add_argument("out", type=Path)
    args = p.parse_args()
    content, tensors = convert(load_network(args.run))
    args.out.write_bytes(pack(content, load_card(args.run).exported("onnx", tensors), ".onnx"))
    return 0


if __name__ == "__main__":
    silence_native_stderr()
    sys.exit(run_command(main, extra="train,convert"))
