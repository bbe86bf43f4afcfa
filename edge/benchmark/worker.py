"""The measured process: one model on one thread, with the parts of edge that process a live source.

    python -m edge.benchmark.worker MODEL AUDIO --hop SECONDS --seconds N --spawned NS [--pace]

prints a Measurement as JSON. It imports what edge-listen imports, so that its memory and its start are those of the
device. AUDIO is a mono file at the source's rate.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from edge.answer import Answer
from edge.arrays import FloatArray
from edge.benchmark.measurement import END_TO_END, RUNTIME_THREADS, STAGES, Measurement, Tally
from edge.benchmark.process_status import process_status
from edge.benchmark.source import looped, paced
from edge.benchmark.stages import TimedListener
from edge.benchmark.subprocess_json import run_module
from edge.errors import EdgeError
from edge.model.load import load_model
from edge.model.model import Model


@dataclass(frozen=True)
class Workload:
    """The audio that a process listens to, and in which steps."""

    audio: Path
    hop_s: float
    seconds: float
    paced: bool
    spawned_ns: int  # time.monotonic_ns() of the parent


def parser(prog: str) -> argparse.ArgumentParser:
    """Arguments of a measured process."""
    p = argparse.ArgumentParser(prog=prog)
    p.add_argument("model", type=Path)
    p.add_argument("audio", type=Path)
    p.add_argument("--hop", type=float, required=True)
    p.add_argument("--seconds", type=float, required=True)
    p.add_argument("--spawned", type=int, required=True, help="time.monotonic_ns() of the parent")
    p.add_argument("--pace", action="store_true", help="no faster than a microphone would deliver")
    return p


def workload(args: argparse.Namespace) -> Workload:
    """Workload of the arguments."""
    return Workload(args.audio, args.hop, args.seconds, args.pace, args.spawned)


def main() -> int:
    """Measure and print."""
    args = parser("edge.benchmark.worker").parse_args()
    model = load_model(args.model, RUNTIME_THREADS)
    print_measurement(measure([model], workload(args), str(args.model), args.model.stat().st_size))
    return 0


def print_measurement(measurement: Measurement) -> None:
    """Print a measurement as JSON, for the parent."""
    print(json.dumps(dataclasses.asdict(measurement)))


def measure(models: Sequence[Model], work: Workload, name: str, model_bytes: int | None) -> Measurement:
    """Let models listen to the audio, hop by hop; all of them share one network.

    Raises
    ------
    EdgeError
        If the audio is too short for an answer.
    """
    model, hop_s = models[0], work.hop_s
    rate = soundfile.info(work.audio).samplerate
    listener = TimedListener(models, rate, hop_s)
    ready_ms = since_ms(work.spawned_ns)
    count = round(work.seconds / hop_s)
    tally = Tally(count, hop_s)
    blocks = looped(work.audio, round(hop_s * rate), count)
    first = first_answer(listener, blocks)
    first_ms = since_ms(work.spawned_ns)
    listener.take()
    for block in paced(blocks, hop_s) if work.paced else blocks:
        listener.process(block)
        tally.add(listener.take())
    if first is None or not tally.hops:
        raise EdgeError(f"{name}: {work.seconds:g} s of audio are too short to measure answers; increase --seconds")
    status = process_status()
    return Measurement(
        model=name,
        name=model.card.name,
        mode=model.card.mode,
        format=model.card.format,
        runtime=model.network.runtime,
        runtime_threads=RUNTIME_THREADS,
        model_bytes=model_bytes,
        hop_s=hop_s,
        hops=tally.hops,
        costs={stage: tally.cost(stage) for stage in (*STAGES, END_TO_END)},
        real_time_factor=tally.real_time_factor,
        resident_bytes=status.get("VmRSS"),
        peak_resident_bytes=status.get("VmHWM"),
        process_threads=status.get("Threads"),
        ready_ms=ready_ms,
        first_answer_ms=first_ms,
        first_answer_audio_s=first.time,
    )


def first_answer(listener: TimedListener, blocks: Iterator[FloatArray]) -> Answer | None:
    """First answer that holds the model's probabilities; None if the blocks end before. Consumes blocks up to there."""
    for block in blocks:
        for answer in listener.process(block):
            if answer.top:
                return answer
    return None


def since_ms(began_ns: int) -> float:
    """Milliseconds since a time of time.monotonic_ns, which all processes of a machine share."""
    return (time.monotonic_ns() - began_ns) / 1e6


if __name__ == "__main__":
    run_module(main)
