"""The notebook's network, untrained, as TFLite and as ONNX: `python -m benchmarks.cost.window_networks FOLDER`.

Competitors run it on a window for each hop (benchmarks.cost.competitors). It is written by a process of its own, like
everything that loads TensorFlow.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.cost.competitors import WINDOW_ONNX, WINDOW_TFLITE
from convert import to_onnx, to_tflite
from convert.run_folder import allow_tf_keras
from edge.cli.exit_status import run as run_command
from edge.model.card import Card, Normalisation, Training
from edge.model.file import pack
from train.recipes import SEED, THRESHOLDS

LABELS = tuple("abcdefghij")  # as many as the genres of GTZAN


def card() -> Card:
    """Card of an untrained network."""
    n_mfcc = SEED.front_end.n_mfcc
    return Card(
        name="untrained",
        labels=LABELS,
        not_music=(),
        front_end=SEED.front_end,
        normalisation=Normalisation((0.0,) * n_mfcc, (1.0,) * n_mfcc),
        mode="window",
        frames=SEED.segment_frames,
        window_samples=SEED.segment_samples,
        thresholds=THRESHOLDS,
        training=Training(SEED.name, "none", "none", False, 0, 0, ()),
        versions={},
    )


def main() -> int:
    """Write both files."""
    p = argparse.ArgumentParser(prog="benchmarks.cost.window_networks")
    p.add_argument("folder", type=Path)
    args = p.parse_args()
    allow_tf_keras()
    from train.network.notebook import window_network

    network = window_network(SEED, len(LABELS))
    converter, tensors = to_tflite.window_converter(network)
    flatbuffer = to_tflite.remove_cell_clip(converter.convert())
    (args.folder / WINDOW_TFLITE).write_bytes(pack(flatbuffer, card().exported("float32", tensors), ".tflite"))
    model, tensors = to_onnx.convert(network)
    (args.folder / WINDOW_ONNX).write_bytes(pack(model, card().exported("onnx", tensors), ".onnx"))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main, extra="bench"))
