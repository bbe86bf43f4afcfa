"""The measured process: one model, one thread, the parts of edge that a live source goes through.

    python -m edge.benchmark.worker MODEL AUDIO --hop SECONDS --seconds N --spawned NS [--pace]
    python -m edge.benchmark.worker FOLDER AUDIO --rival NAME ...

prints a Measurement as JSON. FOLDER holds the window networks of a rival. It imports what edge-listen imports, so that
its memory and its start are those of the device. benchmarks.latency starts it; AUDIO is at the source's rate already.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from edge.benchmark.measurement import (
    DECISION,
    END_TO_END,
    FRONT_END,
    MODEL,
    RESAMPLE,
    RUNTIME_THREADS,
    STAGES,
    Measurement,
    Tally,
)
from edge.benchmark.stopwatch import Spent, Stopwatch
from edge.command import run as run_command
from edge.decision import Answer
from edge.ear import Ear
from edge.errors import EdgeError
from edge.frontend import FloatArray
from edge.model import Model, load

PROCESS_STATUS = Path("/proc/self/status")


class WatchedEar:
    """An ear with a stopwatch at each joint; or as many `streams` as an array has microphones, on one network."""

    def __init__(
        self,
        model: Model,
        source_rate: int,
        hop_s: float,
        new_stopwatch: Callable[[], Stopwatch] = Stopwatch,
        streams: int = 1,
    ) -> None:
        self._whole, self._resample, self._model, self._network = (new_stopwatch() for _ in range(4))
        models = [model, *(model.another() for _ in range(streams - 1))]
        self._network.watch(model.network, "run")
        ears = [Ear(each, source_rate, hop_s) for each in models]
        for each, ear in zip(models, ears, strict=True):
            self._model.watch(each, "advance", "probabilities")
            self._resample.watch(ear, "resample")
        self.hear = self._whole.timed(lambda block: [answer for ear in ears for answer in ear.hear(block)])

    def take(self) -> dict[str, Spent]:
        """What each stage has spent since the last take; the stages are END_TO_END less the joints themselves."""
        whole, resample, model, network = (
            watch.take() for watch in (self._whole, self._resample, self._model, self._network)
        )
        return {
            RESAMPLE: resample,
            FRONT_END: model - network,
            MODEL: network,
            DECISION: whole - resample - model,
            END_TO_END: whole,
        }


def main() -> int:
    """Measure and print."""
    p = argparse.ArgumentParser(prog="edge.benchmark.worker")
    p.add_argument("model", type=Path)
    p.add_argument("audio", type=Path)
    p.add_argument("--hop", type=float, required=True)
    p.add_argument("--seconds", type=float, required=True)
    p.add_argument("--spawned", type=int, required=True, help="time.monotonic_ns() of the parent")
    p.add_argument("--rival")
    p.add_argument("--streams", type=int, default=1, help="how many ears hear it, each for itself (1)")
    p.add_argument("--pace", action="store_true", help="no faster than a microphone would deliver")
    args = p.parse_args()
    print(json.dumps(dataclasses.asdict(measure(args))))
    return 0


def measure(args: argparse.Namespace) -> Measurement:
    """Let a model hear the audio, hop by hop. Raise EdgeError where that is too short for an answer."""
    path, hop_s = args.model, args.hop
    if args.rival is None:
        model, file_bytes = load(path, RUNTIME_THREADS), path.stat().st_size
    else:
        from benchmarks.cost import competitors as rivals  # not before: the memory of a device is measured here

        model, file_bytes = rivals.rival(args.rival).model_of(path), None
    rate = soundfile.info(args.audio).samplerate
    ear = WatchedEar(model, rate, hop_s, streams=args.streams)
    ready_ms = since_ms(args.spawned)
    count = round(args.seconds / hop_s)
    tally = Tally(count, hop_s)
    blocks = looped(args.audio, round(hop_s * rate), count)
    first = first_answer(ear, blocks)
    first_ms = since_ms(args.spawned)
    ear.take()
    for block in paced(blocks, hop_s) if args.pace else blocks:
        ear.hear(block)
        tally.add(ear.take())
    if first is None or not tally.hops:
        raise EdgeError(
            f"{path}: {args.seconds:g} s of audio are too short to measure its answers; give more --seconds"
        )
    status = process_status()
    return Measurement(
        model=args.rival or str(path),
        name=model.card.name,
        mode=model.card.mode,
        format=model.card.format,
        runtime=model.network.runtime,
        runtime_threads=RUNTIME_THREADS,
        model_bytes=file_bytes,
        hop_s=hop_s,
        hops=tally.hops,
        costs={stage: tally.cost(stage) for stage in (*STAGES, END_TO_END)},
        real_time_factor=tally.real_time_factor,
        resident_bytes=status.get("VmRSS"),
        peak_resident_bytes=status.get("VmHWM"),
        process_threads=status.get("Threads"),
        ready_ms=ready_ms,
        first_answer_ms=first_ms,
        first_answer_audio_s=first.t,
    )


def looped(path: Path, length: int, count: int) -> Iterator[FloatArray]:
    """`count` blocks of (length, 1) samples of a mono file that starts again where it ends.

    Read as it is needed: audio kept in memory would be counted as the model's.
    """
    with soundfile.SoundFile(path) as file:
        for _ in range(count):
            block = file.read(length, dtype="float32", always_2d=True)
            while len(block) < length:
                file.seek(0)
                block = np.concatenate([block, file.read(length - len(block), dtype="float32", always_2d=True)])
            yield block


def paced(blocks: Iterator[FloatArray], block_s: float) -> Iterator[FloatArray]:
    """The same blocks, each not before its last sample would have been recorded: the core has slept meanwhile."""
    began = time.monotonic()
    for number, block in enumerate(blocks, 1):
        time.sleep(max(0.0, began + number * block_s - time.monotonic()))
        yield block


def first_answer(ear: WatchedEar, blocks: Iterator[FloatArray]) -> Answer | None:
    """The first answer that the model had a word in; None if the blocks end before. Consumes blocks up to there."""
    for block in blocks:
        for answer in ear.hear(block):
            if answer.top:
                return answer
    return None


def process_status() -> dict[str, int]:
    """Memory in bytes (VmRSS, VmHWM) and Threads of this process; empty where there is no /proc."""
    if not PROCESS_STATUS.exists():
        return {}
    fields = dict(line.split(":", 1) for line in PROCESS_STATUS.read_text().splitlines())
    memory = {name: int(fields[name].removesuffix("kB")) * 1024 for name in ("VmRSS", "VmHWM")}
    return {**memory, "Threads": int(fields["Threads"])}


def since_ms(began_ns: int) -> float:
    """Milliseconds since a time of time.monotonic_ns, which all processes of a machine share."""
    return (time.monotonic_ns() - began_ns) / 1e6


if __name__ == "__main__":
    sys.exit(run_command(main))
