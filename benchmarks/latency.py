"""The command `python -m benchmarks.latency [FILE...]`: what listening costs on this machine, stage by stage.

Each model is measured in a fresh process (edge.benchmark.worker) on the same audio, a file that stands for a microphone at
SOURCE_RATE, and so is what people run instead (benchmarks.cost.competitors), as far as this machine has it. A hop is measured
from a block of the source in hand to its answer; what the audio hardware adds is not.
"""

import argparse
import importlib.metadata
import itertools
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from edge.benchmark import tables as table
from edge.benchmark.subprocess_json import printed_json
from edge.benchmark.machine import this_machine
from edge.benchmark.measurement import RUNTIME_THREADS, Measurement, from_fields
from benchmarks.cost.competitors import RIVALS, WINDOW_TFLITE, Rival
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
AUDIO_SECONDS = 300.0  # a process that has just begun is slower, and a 99th percentile needs hundreds of hops


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
    p.add_argument("--rate", type=int, default=SOURCE_RATE, metavar="HZ", help=f"of the source ({SOURCE_RATE})")
    p.add_argument(
        "--seconds", type=float, default=AUDIO_SECONDS, metavar="N", help=f"of audio for a model ({AUDIO_SECONDS:g})"
    )
    p.add_argument("--alone", action="store_true", help="without librosa and the others to compare with")
    p.add_argument("--pace", action="store_true", help="in real time, as a microphone delivers")
    p.add_argument("--json", type=Path, metavar="FILE", help="where to write all of it")
    return p


def main() -> int:
    """Check everything, measure every model, print the table."""
    args = parser().parse_args()
    if not 0 < args.seconds < math.inf:
        raise UsageError(f"--seconds {args.seconds:g}: has to be above 0")
    if not 1_000 <= args.rate <= 384_000:
        raise UsageError(f"--rate {args.rate}: has to be from 1000 to 384000")
    models = list(model_files(args.models or [SHIPPED]))
    for path in models:
        check(path, args.rate, args.hop)
    before = this_machine()
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder) / "source.wav"
        write_source(args.audio, audio, args.seconds, args.rate)
        print(before, flush=True)
        words = [str(audio), f"--hop={args.hop}", f"--seconds={args.seconds}", *(["--pace"] if args.pace else [])]
        names = short_names(models)
        measurements = [replace(measure_apart(str(path), *words), model=name) for path, name in names.items()]
        networks = {name: apart("edge.benchmark.network", str(path)) for path, name in names.items()}
        after = this_machine()  # the rivals are no part of what may have made it hot
        pace = ", in real time" if args.pace else ""
        print(f"{args.audio} at {args.rate} Hz in blocks of {args.hop:g} s{pace}, {RUNTIME_THREADS} thread")
        for part in (table.costs(measurements), table.processes(measurements), table.networks(networks)):
            print("", part, sep="\n", flush=True)
        opponents, missed = ({}, []) if args.alone else measure_rivals(folder, words)
    if not args.alone:
        print("", table.ratios(measurements[0], opponents), *missed, sep="\n")
    verdict = table.verdict(measurements, after)
    print("", verdict, sep="\n")
    if args.json:
        report = {
            "version": installed_version(),
            "machine": {"before": asdict(before), "after": asdict(after)},
            "audio": args.audio.name,
            "audio_seconds": args.seconds,
            "source_rate_hz": args.rate,
            "paced": args.pace,
            "models": [{**fields(m), "benchmark_model": networks[m.model]} for m in measurements],
            "rivals": [fields(m) for m in opponents.values()],
            "verdict": verdict,
        }
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def measure_rivals(folder: str, words: Sequence[str]) -> tuple[dict[Rival, Measurement], list[str]]:
    """Those of RIVALS that this machine has, and a line for each that it hasn't, or that fails: ours count alone."""
    measured, missed = {}, []
    for rival in RIVALS:
        if rival.missing:
            missed.append(
                f"not measured: {rival.name}, for want of {', '.join(rival.missing)} (pip install '.[bench]')"
            )
            continue
        try:
            if not rival.front_end_only and not (Path(folder) / WINDOW_TFLITE).exists():
                apart("benchmarks.cost.window_networks", folder)
            measured[rival] = measure_apart(folder, *words, f"--rival={rival.name}")
        except EdgeError as error:
            missed.append(f"not measured: {rival.name}: {error}")
    return measured, missed


def installed_version() -> str | None:
    """This package's; None where it runs without being installed."""
    try:
        return importlib.metadata.version("edge-listen")
    except importlib.metadata.PackageNotFoundError:
        return None


def fields(m: Measurement) -> dict[str, Any]:
    """A measurement as JSON has it."""
    return {**asdict(m), "core_share": m.core_share, "keeps_up": m.keeps_up}


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


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """What tells the files apart, and nothing of the folders that all of them are in: reports are passed on."""
    folder = Path(os.path.commonpath([path.resolve().parent for path in paths]))
    return {path: str(path.resolve().relative_to(folder)) for path in paths}


def check(path: Path, rate: int, hop_s: float) -> None:
    """Raise EdgeError, before anything is measured, for a model that can't listen here at this hop.

    It also brings the model and its runtime into the page cache: what is measured later is a warm start.
    """
    Ear(load(path, RUNTIME_THREADS), rate, hop_s)


def write_source(path: Path, out: Path, seconds: float, rate: int = SOURCE_RATE) -> None:
    """Write an audio file as mono at another rate, up to `seconds` of it. Raise EdgeError where there is nothing."""
    source = FileSource(path)
    resample = ToModelRate(source.rate, rate)
    blocks = itertools.islice(source.blocks(), math.ceil(seconds / BLOCK_SECONDS))
    with soundfile.SoundFile(out, "w", rate, channels=1, subtype="FLOAT") as file:
        for block in blocks:
            if block is not None:
                file.write(resample(block))
        file.write(resample(np.empty((0, 1), np.float32), last=True))
        if not file.frames:
            raise EdgeError(f"{path}: holds no audio")


def measure_apart(*words: str) -> Measurement:
    """A Measurement by edge.benchmark.worker, whose words these are."""
    return from_fields(apart("edge.benchmark.worker", *words, f"--spawned={time.monotonic_ns()}"))


def apart(module: str, *words: str) -> dict[str, Any]:
    """What a command of this package prints as JSON, if anything, in a fresh process. Raise EdgeError if it fails."""
    return printed_json([sys.executable, "-m", module, *words], f"{module} {words[0]}")


if __name__ == "__main__":
    sys.exit(run_command(main))
