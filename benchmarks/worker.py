"""The measured process: one model, one thread, the parts of edge that a live source goes through.

    python -m benchmarks.worker MODEL AUDIO --hop SECONDS --seconds N --spawned NS [--pace]
    python -m benchmarks.worker FOLDER AUDIO --rival NAME ...

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

from benchmarks.measurement import (
    DECISION,
    END_TO_END,
    FRONT_END,
    MODEL,
    RESAMPLE,
    RUNTIME_THREADS,
    STAGES,
    Measurement,
    cost,
    real_time_factor,
)
from benchmarks.stopwatch import Spent, Stopwatch
from edge.command import run as run_command
from edge.decision import Answer
from edge.ear import Ear
from edge.errors import EdgeError
from edge.frontend import FloatArray
from edge.model import Model, load

PROCESS_STATUS = Path("/proc/self/status")


class WatchedEar:
    """An ear with a stopwatch at each joint."""

    def __init__(
        self, model: Model, source_rate: int, hop_s: float, new_stopwatch: Callable[[], Stopwatch] = Stopwatch
    ) -> None:
        ear = Ear(model, source_rate, hop_s)
        self._whole, self._resample, self._model, self._network = (new_stopwatch() for _ in range(4))
        self._network.watch(model.network, "run")
        self._model.watch(model, "advance", "probabilities")
        self._resample.watch(ear, "resample")
        self.hear = self._whole.timed(lambda block: list(ear.hear(block)))

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
    p = argparse.ArgumentParser(prog="benchmarks.worker")
    p.add_argument("model", type=Path)
    p.add_argument("audio", type=Path)
    p.add_argument("--hop", type=float, required=True)
    p.add_argument("--seconds", type=float, required=True)
    p.add_argument("--spawned", type=int, required=True, help="time.monotonic_ns() of the parent")
    p.add_argument("--rival")
    p.add_argument("--pace", action="store_true", help="no faster than a microphone would deliver")
    args = p.parse_args()
    measured = measure(args.model, args.audio, args.hop, args.seconds, args.spawned, args.rival, args.pace)
    print(json.dumps(dataclasses.asdict(measured)))
    return 0


def measure(
    path: Path, audio: Path, hop_s: float, seconds: float, spawned_ns: int, rival: str | None, pace: bool
) -> Measurement:
    """Let a model hear `seconds` of audio, hop by hop. Raise EdgeError where that is too short for an answer."""
    if rival is None:
        model, file_bytes = load(path, RUNTIME_THREADS), path.stat().st_size
    else:
        from benchmarks import rivals  # not before: the memory of a device is measured here

        model, file_bytes = rivals.rival(rival).model_of(path), None
    rate = soundfile.info(audio).samplerate
    ear = WatchedEar(model, rate, hop_s)
    ready_ms = since_ms(spawned_ns)
    blocks = looped(audio, round(hop_s * rate), round(seconds / hop_s))
    first = first_answer(ear, blocks)
    first_ms = since_ms(spawned_ns)
    ear.take()
    hops = [hear_hop(ear, block) for block in (paced(blocks, hop_s) if pace else blocks)]
    if first is None or not hops:
        raise EdgeError(f"{path}: {seconds:g} s of audio are too short to measure its answers; give more --seconds")
    status = process_status()
    return Measurement(
        model=rival or str(path),
        name=model.card.name,
        mode=model.card.mode,
        format=model.card.format,
        runtime=model.network.runtime,
        runtime_threads=RUNTIME_THREADS,
        model_bytes=file_bytes,
        hop_s=hop_s,
        hops=len(hops),
        costs={stage: cost([hop[stage] for hop in hops], hop_s) for stage in (*STAGES, END_TO_END)},
        real_time_factor=real_time_factor([hop[END_TO_END] for hop in hops], hop_s),
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


def hear_hop(ear: WatchedEar, block: FloatArray) -> dict[str, Spent]:
    """What the stages spend on one block."""
    ear.hear(block)
    return ear.take()


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
