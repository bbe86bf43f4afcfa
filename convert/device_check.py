"""Run a model file on features as a device does: in a process of its own, without TensorFlow.

python -m convert.device_check MODEL FEATURES.npz OUT.npz [--package tflite_runtime|ai_edge_litert]
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from edge.cli.exit_status import run as run_command
from edge.model.load import load_model
from edge.model.runtime import TFLITE_RUNTIMES


def main() -> int:
    """Write `probabilities` (clips, calls, labels), `microseconds` (median of a call) and `runtime` to OUT.npz."""
    p = argparse.ArgumentParser(prog="python -m convert.device_check")
    p.add_argument("model", type=Path)
    p.add_argument("features", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("--package", choices=TFLITE_RUNTIMES)
    args = p.parse_args()
    model = load_model(args.model, package=args.package)
    with np.load(args.features) as arrays:
        inputs = arrays["inputs"].astype(np.float32)
    frames = model.card.frames
    outputs, seconds = [], []
    for clip in inputs:
        model.reset()
        for start in range(0, len(clip) - frames + 1, frames):
            began = time.perf_counter()
            outputs.append(model.infer(clip[start : start + frames]))
            seconds.append(time.perf_counter() - began)
    probabilities = np.reshape(outputs, (len(inputs), -1, len(model.card.labels)))
    np.savez(
        args.out, probabilities=probabilities, microseconds=np.median(seconds) * 1e6, runtime=model.network.runtime
    )
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
