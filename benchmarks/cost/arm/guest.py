"""The process inside the emulator: one model listens to some audio, and the instructions of each stage are counted.

    python -m benchmarks.cost.arm.guest MODEL AUDIO COUNT

prints a Count as JSON; COUNT is the file that count_instructions.c counts in. benchmarks.cost.arm starts it.
"""

import argparse
import dataclasses
import itertools
import json
import mmap
import sys
from functools import partial
from pathlib import Path

import soundfile

from benchmarks.cost.arm.count import Count
from edge.benchmark.measurement import RUNTIME_THREADS
from edge.benchmark.source import looped
from edge.benchmark.stages import TimedListener
from edge.benchmark.stopwatch import Clock, Stopwatch
from edge.cli.exit_status import run as run_command
from edge.config import HOP_SECONDS
from edge.model.load import load_model

WARM_UP_SECONDS = 20  # of audio, in which buffers grow and kernels are chosen
SECONDS = 60  # of audio, counted
EMPTY_CALLS = 1000


def main() -> int:
    """Count and print."""
    p = argparse.ArgumentParser(prog="benchmarks.cost.arm.guest")
    p.add_argument("model", type=Path)
    p.add_argument("audio", type=Path)
    p.add_argument("count", type=Path)
    args = p.parse_args()
    print(json.dumps(dataclasses.asdict(counted(args.model, args.audio, instructions(args.count)))))
    return 0


def instructions(path: Path) -> Clock:
    """Return a clock that reads the 64-bit number in a file, as it is at that moment."""
    with path.open("rb") as file:
        number = memoryview(mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)).cast("Q")
    return partial(number.__getitem__, 0)  # a function written in Python would be counted, too


def counted(path: Path, audio: Path, clock: Clock) -> Count:
    """Let a model listen to the audio, which starts again at its end, and count the instructions of SECONDS of it."""
    model = load_model(path, RUNTIME_THREADS)
    rate = soundfile.info(audio).samplerate
    listener = TimedListener([model], rate, HOP_SECONDS, lambda: stopwatch(clock))
    warm_up, hops = round(WARM_UP_SECONDS / HOP_SECONDS), round(SECONDS / HOP_SECONDS)
    blocks = looped(audio, round(HOP_SECONDS * rate), warm_up + hops)
    for block in itertools.islice(blocks, warm_up):
        listener.process(block)
    listener.take()
    for block in blocks:
        listener.process(block)
    return Count(
        model=str(path),
        mode=model.card.mode,
        format=model.card.format,
        runtime=model.network.runtime,
        per_audio_s={stage: spent.cpu / SECONDS for stage, spent in listener.take().items()},
        per_watched_call=overhead(clock),
    )


def stopwatch(clock: Clock) -> Stopwatch:
    """Stopwatch that reads one clock only: its other one, `int`, always reads 0 and costs next to nothing."""
    return Stopwatch(wall=int, cpu=clock)


def overhead(clock: Clock) -> float:
    """Instructions that watching a call takes; they are counted with the call."""
    caller, called = stopwatch(clock), stopwatch(clock)
    empty = caller.timed(called.timed(lambda: None))
    for _ in range(EMPTY_CALLS):
        empty()
    return (caller.take() - called.take()).cpu / EMPTY_CALLS


if __name__ == "__main__":
    sys.exit(run_command(main))
