"""The command `python -m benchmarks.latency [FILE...]`: what listening costs on this machine, stage by stage.

Each model is measured in a fresh process (benchmarks.worker) on the same audio, a file that stands for a microphone at
SOURCE_RATE. A hop is measured from a block of the source in hand to its answer; what the audio hardware adds is not.
"""

import argparse
import itertools
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import table
from benchmarks.machine import this_machine
from benchmarks.measurement import RUNTIME_THREADS, Measurement, from_fields
from edge import HOP_SECONDS
from edge.command import run as run_command
from edge.container import SUFFIXES
from edge.ear import Ear
from edge.errors import EdgeError, UsageError
from edge.listen import DEMO
from edge.model import SHIPPED, load
from edge.resample import ToModelRate
from edge.sources import BLOCK_SECONDS, FileSource

SOURCE_RATE = 48_000  # Hz, what USB microphones deliver
AUDIO_SECONDS = 60.0  # gives more than a hundred hops, which a 99th percentile needs


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    p = argparse.ArgumentParser(prog="benchmarks.latency", description="Measure what listening costs on this machine.")
    p.add_argument(
        "models", nargs="*", type=Path, metavar="FILE", help="model files or folders of them (the shipped one)"
    )
    p.add_argument("--audio", type=Path, default=DEMO, metavar="FILE", help="what to listen to (the demo clip)")
    p.add_argument(
        "--hop", type=float, default=HOP_SECONDS, metavar="SECONDS", help=f"time between answers ({HOP_SECONDS})"
    )
    p.add_argument(
        "--seconds", type=float, default=AUDIO_SECONDS, metavar="N", help=f"of audio for a model ({AUDIO_SECONDS:g})"
    )
    p.add_argument("--json", type=Path, metavar="FILE", help="where to write all of it")
    return p


def main() -> int:
    """Check everything, measure every model, print the table."""
    args = parser().parse_args()
    if not 0 < args.seconds < math.inf:
        raise UsageError(f"--seconds {args.seconds:g}: has to be above 0")
    models = list(model_files(args.models or [SHIPPED]))
    for path in models:
        check(path, args.hop)
    machine = this_machine()
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder) / "source.wav"
        write_source(args.audio, audio, args.seconds)
        print(machine, flush=True)
        measurements = [measure_apart(path, audio, args.hop, args.seconds) for path in models]
    verdict = table.verdict(measurements)
    print(f"{args.audio} at {SOURCE_RATE} Hz in blocks of {args.hop:g} s, threads of the runtime: {RUNTIME_THREADS}\n")
    print(table.costs(measurements), table.processes(measurements), verdict, sep="\n\n")
    if args.json:
        report = {
            "machine": asdict(machine),
            "audio": str(args.audio),
            "source_rate_hz": SOURCE_RATE,
            "models": [{**asdict(m), "core_share": m.core_share, "keeps_up": m.keeps_up} for m in measurements],
            "verdict": verdict,
        }
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def model_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and those in the folders named. Raise EdgeError for a folder without any."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES)
        if not found:
            raise EdgeError(f"{path}: no {' or '.join(SUFFIXES)} file in this folder")
        yield from found


def check(path: Path, hop_s: float) -> None:
    """Raise EdgeError, before anything is measured, for a model that can't listen here at this hop.

    It also brings the model and its runtime into the page cache: what is measured later is a warm start.
    """
    Ear(load(path, RUNTIME_THREADS), SOURCE_RATE, hop_s)


def write_source(path: Path, out: Path, seconds: float) -> None:
    """Write an audio file as mono at SOURCE_RATE, up to `seconds` of it. Raise EdgeError where there is nothing."""
    source = FileSource(path)
    resample = ToModelRate(source.rate, SOURCE_RATE)
    blocks = itertools.islice(source.blocks(), math.ceil(seconds / BLOCK_SECONDS))
    with soundfile.SoundFile(out, "w", SOURCE_RATE, channels=1, subtype="FLOAT") as file:
        for block in blocks:
            if block is not None:
                file.write(resample(block))
        file.write(resample(np.empty((0, 1), np.float32), last=True))
        if not file.frames:
            raise EdgeError(f"{path}: holds no audio")


def measure_apart(path: Path, audio: Path, hop_s: float, seconds: float) -> Measurement:
    """Measure a model in a fresh process. Raise EdgeError, with the last line it said, if that fails or crashes."""
    worker = [sys.executable, "-m", "benchmarks.worker", str(path), str(audio)]
    numbers = [f"--hop={hop_s}", f"--seconds={seconds}", f"--spawned={time.monotonic_ns()}"]
    done = subprocess.run([*worker, *numbers], capture_output=True, text=True, check=False)
    if done.returncode < 0:
        raise EdgeError(f"{path}: its process crashed with signal {-done.returncode}")
    if done.returncode:
        last = (done.stderr.strip() or "its process failed without a word").splitlines()[-1]
        raise EdgeError(last.removeprefix("error: "))
    return from_fields(json.loads(done.stdout))


if __name__ == "__main__":
    sys.exit(run_command(main))
