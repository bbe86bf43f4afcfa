"""The command `python -m benchmarks.cost.architectures FOLDER`: the edge network, untrained, in several architectures.

One or several blocks per call; its LSTMs as steps whose states go in and out, or fused by TFLite, which keeps their
states between calls. edge-benchmark and benchmarks.cost.arm measure the cost of each file, which doesn't depend on the
weights. The architecture that ships was chosen that way (benchmarks/README.md).
"""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert import to_tflite
from convert.int8_weights import store_as_int8
from convert.rewrites import unrolled
from convert.run_folder import allow_tf_keras
from edge.cli.exit_status import run as run_command
from edge.cli.parser import make_parser
from edge.errors import UsageError
from edge.model.card import Card, Tensors
from edge.model.file import pack, read_model_file
from edge.model.load import SHIPPED_MODEL
from train.recipes import EDGE, Stream

if TYPE_CHECKING:
    import keras

BLOCKS = (1, 2, 4, 8)  # per call: an answer every 0.37 to 3 s
FORMATS = ("float32", "dynamic")
EXAMPLES = (("python -m benchmarks.cost.architectures architectures", ""),)


def main() -> int:
    """Write a model file for every architecture."""
    p = make_parser(
        "python -m benchmarks.cost.architectures",
        "Write the edge network, untrained, in several architectures.",
        EXAMPLES,
        "benchmarks/README.md",
    )
    p.add_argument("folder", type=Path, metavar="FOLDER", help="write the model files to this folder")
    p.add_argument(
        "--blocks", type=int, nargs="+", default=BLOCKS, metavar="N", help="blocks per call (default: 1 2 4 8)"
    )
    args = p.parse_args()
    if min(args.blocks) < 1:
        raise UsageError(f"--blocks {min(args.blocks)}: must be at least 1")
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
    """Card of the shipped model, for a number of blocks per call."""
    _, shipped = read_model_file(SHIPPED_MODEL)
    assert EDGE.stream is not None  # it is the recipe of a stream model
    return dataclasses.replace(shipped, name="untrained", frames=blocks * EDGE.stream.block_frames)


def step(blocks: int, kind: str) -> tuple[bytes, Tensors]:
    """Convert the network as it ships, `blocks` times in a row."""
    network = in_a_row(unrolled(untrained(), float_head=False), blocks)
    converter, tensors = to_tflite.stream_converter(network, kind)
    content = converted(converter, kind)
    return store_as_int8(content) if kind == "float32" else content, tensors


def untrained() -> "keras.Model":
    """Network of the device with the initial weights of training, on the int8 grid as after training."""
    from train.backend import keras
    from train.network import layers

    assert EDGE.stream is not None
    keras.utils.set_random_seed(0)  # the same weights in every file
    labels, n_mfcc = len(card(1).labels), EDGE.front_end.n_mfcc
    trained = layers.training_network(EDGE.stream, n_mfcc, labels)
    device = layers.device_network(trained, EDGE.stream, n_mfcc, labels)
    layers.snap_to_int8(device)
    return device


def in_a_row(network: "keras.Model", blocks: int) -> "keras.Model":
    """Network that takes several blocks per call, one step for each."""
    from train.backend import keras

    feature, *states = network.inputs
    _, frames, n_mfcc = feature.shape
    features = keras.Input((blocks * frames, n_mfcc), name="features")
    initial = {state.name: keras.Input(state.shape[1:], name=state.name) for state in states}
    outputs: dict[str, Any] = {}
    for block in range(blocks):
        now = [outputs.get(f"next_{name}", first) for name, first in initial.items()]
        outputs = network([features[:, block * frames : (block + 1) * frames], *now])
    return keras.Model([features, *initial.values()], outputs)


def fused(blocks: int, kind: str) -> tuple[bytes, Tensors]:
    """Convert nearly the same network in tf_keras, whose LSTMs TFLite fuses: they keep their states between calls."""
    import tensorflow as tf

    assert EDGE.stream is not None
    network = fusable(EDGE.stream, blocks, EDGE.front_end.n_mfcc, len(card(1).labels))
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    return converted(converter, kind), Tensors("serving_default_features:0", "StatefulPartitionedCall:0")


def fusable(stream: Stream, blocks: int, n_mfcc: int, labels: int) -> Any:
    """Layers of train.layers.device_network, without those that have hardly any weights."""
    import tensorflow as tf
    import tf_keras

    layers = tf_keras.layers
    features = tf_keras.Input((blocks * stream.block_frames, n_mfcc), batch_size=1, name="features")
    maps = tf.reshape(features, (1, blocks, stream.block_frames, n_mfcc))
    moments = [tf.reduce_mean(maps, -2), *(tf.sqrt(tf.reduce_mean(maps * maps, -2)) for _ in range(3))]
    for _ in range(2):
        maps = tf.nn.relu(layers.Conv2D(stream.filters, (1, stream.filter_frames))(maps))
    embedding = tf.concat([*moments, tf.reduce_mean(maps, -2), tf.reduce_max(maps, -2)], -1)
    logits = []
    for _ in range(stream.branches):
        projected = layers.Dense(stream.projection, activation="relu")(embedding)
        states = layers.LSTM(stream.lstm_units, return_sequences=True)(projected)
        logits.append(layers.Dense(labels)(tf.reduce_mean(states, 1)))
    return tf_keras.Model(features, tf.nn.softmax(tf.add_n(logits) / stream.branches))


def converted(converter: Any, kind: str) -> bytes:
    """Flatbuffer in a format."""
    if kind == "dynamic":
        to_tflite.quantise(converter)
    return to_tflite.remove_cell_clip(converter.convert())


if __name__ == "__main__":
    sys.exit(run_command(main, extra="bench"))
