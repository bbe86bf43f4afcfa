"""Times and memory of the network by itself, as TFLite's benchmark_model measures and names them.

    python -m edge.benchmark.network MODEL

prints them as JSON. It needs a process of its own: there is only one first inference.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edge.benchmark.measurement import RUNTIME_THREADS
from edge.benchmark.process_status import process_status
from edge.benchmark.subprocess_json import run_module
from edge.model.card import Card
from edge.model.file import read_model_file
from edge.model.runtime import open_network

MIN_SECS = 1.0  # the defaults of benchmark_model: at least this long, and this many runs
NUM_RUNS = 50
WARMUP_MIN_SECS = 0.5


def main() -> int:
    """Measure and print."""
    p = argparse.ArgumentParser(prog="edge.benchmark.network")
    p.add_argument("model", type=Path)
    print(json.dumps(measure(p.parse_args().model)))
    return 0


def measure(path: Path) -> dict[str, Any]:
    """Measure times in µs and memory in MB (10^6 bytes) on random inputs.

    Raises
    ------
    EdgeError
        If the model can't run here.
    """
    content, card = read_model_file(path)
    assert card.tensors is not None  # read_model_file() refuses a card without tensors
    before = process_status().get("VmRSS")
    began = time.perf_counter_ns()
    network = open_network(content, card.tensors, path.suffix, RUNTIME_THREADS, None)
    init_us = (time.perf_counter_ns() - began) / 1e3
    opened = process_status().get("VmRSS")
    inputs = random_inputs(card)

    def inference_us() -> float:
        began = time.perf_counter_ns()
        network.run(inputs)
        return (time.perf_counter_ns() - began) / 1e3

    first = inference_us()
    warm_up = repeated(inference_us, 1, WARMUP_MIN_SECS)
    timings = repeated(inference_us, NUM_RUNS, MIN_SECS)
    return {
        "num_threads": RUNTIME_THREADS,
        "Init": init_us,
        "First inference": first,
        "Warmup (avg)": float(np.mean(warm_up)),
        "Inference (avg)": float(np.mean(timings)),
        "count": len(timings),
        "first": timings[0],
        "curr": timings[-1],
        "min": min(timings),
        "max": max(timings),
        "std": float(np.std(timings)),
        "Memory footprint delta": {
            "init": _megabytes_since(before, opened),
            "overall": _megabytes_since(before, process_status().get("VmHWM")),
        },
    }


def random_inputs(card: Card) -> dict[str, Any]:
    """Inputs of the right shapes: uniform between 0 and 1."""
    assert card.tensors is not None
    rng = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {card.tensors.features: (1, card.frames, card.front_end.n_mfcc)}
    shapes |= {state.input: state.shape for state in card.tensors.states}
    return {name: rng.uniform(0, 1, shape).astype(np.float32) for name, shape in shapes.items()}


def repeated(inference_us: Callable[[], float], runs: int, seconds: float) -> list[float]:
    """Times of at least `runs` inferences, for at least `seconds`."""
    end = time.monotonic() + seconds
    times: list[float] = []
    while len(times) < runs or time.monotonic() < end:
        times.append(inference_us())
    return times


def _megabytes_since(before: int | None, now: int | None) -> float | None:
    return None if before is None or now is None else (now - before) / 1e6


if __name__ == "__main__":
    run_module(main)
