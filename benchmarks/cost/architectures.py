"""The command `python -m benchmarks.cost.architectures FOLDER`: the edge network, untrained, in the shapes that it could have.

One block or several a call; its LSTMs as steps whose states go in and out, or fused by TFLite, which keeps their
states between calls. benchmarks.latency and benchmarks.cost.arm say what each of the files costs, which doesn't depend on
the weights, and so the shape that ships was chosen (README).
"""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert import to_tflite
from convert.compact import compacted
from convert.run_folder import allow_tf_keras
from convert.twins import unrolled
from edge.card import Card, Tensors
from edge.command import run as run_command
from edge.container import pack, read
from edge.errors import UsageError
from edge.model import SHIPPED
from train.recipes import EDGE, Stream

if TYPE_CHECKING:
    import keras

BLOCKS = (1, 2, 4, 8)  # a call: an answer every 0.37 to 3 s
FORMATS = ("float32", "dynamic")


def main() -> int:
    """Write a model file for every shape."""
    p = argparse.ArgumentParser(prog="benchmarks.cost.architectures")
    p.add_argument("folder", type=Path)
    p.add_argument("--blocks", type=int, nargs="+", default=BLOCKS, metavar="N", help="a call (1 2 4 8)")
    args = p.parse_args()
    if min(args.blocks) < 1:
        raise UsageError(f"--blocks {min(args.blocks)}: has to be at least 1")
    args.folder.mkdir(parents=True, exist_ok=True)
    allow_tf_keras()
    for blocks in args.blocks:
        for kind in FORMATS:
            for name, (content, tensors) in (("step", step(blocks, kind)), ("fused", fused(blocks, kind))):
                path = args.folder / f"{name}-{blocks}-{kind}.tflite"
                path.write_bytes(pack(content, card(blocks).exported(kind, tensors), ".tflite"))
                print(path, flush=True)
    return 0


def card(blocks: int) -> Card:
    """The shipped model's, for so many blocks a call."""
    _, shipped = read(SHIPPED)
    assert EDGE.stream is not None  # it is a stream's recipe
    return dataclasses.replace(shipped, name="untrained", frames=blocks * EDGE.stream.block_frames)


def step(blocks: int, kind: str) -> tuple[bytes, Tensors]:
    """The network as it ships, `blocks` times in a row."""
    network = in_a_row(unrolled(untrained(), float_head=False), blocks)
    converter, tensors = to_tflite.step_converter(network, kind)
    content = converted(converter, kind)
    return compacted(content) if kind == "float32" else content, tensors


def untrained() -> "keras.Model":
    """The device's network with the weights that training begins with, on the int8 grid as training leaves them."""
    from train import networks
    from train.backend import keras

    assert EDGE.stream is not None
    keras.utils.set_random_seed(0)  # the same ones in every file
    labels, n_mfcc = len(card(1).labels), EDGE.front_end.n_mfcc
    trained = networks.training_network(EDGE.stream, n_mfcc, labels)
    device = networks.device_network(trained, EDGE.stream, n_mfcc, labels)
    networks.snap_to_int8(device)
    return device


def in_a_row(network: "keras.Model", blocks: int) -> "keras.Model":
    """A network that takes several blocks a call, and steps on each."""
    from train.backend import keras

    feature, *states = network.inputs
    _, frames, n_mfcc = feature.shape
    features = keras.Input((blocks * frames, n_mfcc), name="features")
    fed = {state.name: keras.Input(state.shape[1:], name=state.name) for state in states}
    outputs: dict[str, Any] = {}
    for block in range(blocks):
        now = [outputs.get(f"next_{name}", first) for name, first in fed.items()]
        outputs = network([features[:, block * frames : (block + 1) * frames], *now])
    return keras.Model([features, *fed.values()], outputs)


def fused(blocks: int, kind: str) -> tuple[bytes, Tensors]:
    """Much the same network in tf_keras, whose LSTMs TFLite fuses: they keep their states between the calls."""
    import tensorflow as tf

    assert EDGE.stream is not None
    network = fusable(EDGE.stream, blocks, EDGE.front_end.n_mfcc, len(card(1).labels))
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    return converted(converter, kind), Tensors("serving_default_features:0", "StatefulPartitionedCall:0")


def fusable(stream: Stream, blocks: int, n_mfcc: int, labels: int) -> Any:
    """The layers of train.networks.device_network, without what has no weights to speak of."""
    import tensorflow as tf
    import tf_keras

    layers = tf_keras.layers
    features = tf_keras.Input((blocks * stream.block_frames, n_mfcc), batch_size=1, name="features")
    found = tf.reshape(features, (1, blocks, stream.block_frames, n_mfcc))
    spread = [tf.reduce_mean(found, -2), *(tf.sqrt(tf.reduce_mean(found * found, -2)) for _ in range(3))]
    for _ in range(2):
        found = tf.nn.relu(layers.Conv2D(stream.filters, (1, stream.filter_frames))(found))
    described = tf.concat([*spread, tf.reduce_mean(found, -2), tf.reduce_max(found, -2)], -1)
    answers = []
    for _ in range(stream.branches):
        projected = layers.Dense(stream.projection, activation="relu")(described)
        heard = layers.LSTM(stream.lstm_units, return_sequences=True)(projected)
        answers.append(layers.Dense(labels)(tf.reduce_mean(heard, 1)))
    return tf_keras.Model(features, tf.nn.softmax(tf.add_n(answers) / stream.branches))


def converted(converter: Any, kind: str) -> bytes:
    """The flatbuffer of a format."""
    if kind == "dynamic":
        to_tflite.quantise(converter)
    return to_tflite.unclipped(converter.convert())


if __name__ == "__main__":
    sys.exit(run_command(main))
