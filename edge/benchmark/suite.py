"""Measure model files on this machine, each in processes of its own and under the same conditions."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge.benchmark import whole_command
from edge.benchmark.machine import Machine, this_machine
from edge.benchmark.measurement import RUNTIME_THREADS, Measurement, from_fields
from edge.benchmark.source import write_source
from edge.benchmark.subprocess_json import module_json
from edge.benchmark.whole_command import WholeCommand
from edge.config import RATES
from edge.errors import EdgeError, UsageError
from edge.listener import Listener
from edge.model.file import SUFFIXES
from edge.model.load import load_model

MAX_SECONDS = 86_400.0  # of audio; as PCM a day at 48 kHz has 8 GB


@dataclass(frozen=True)
class Conditions:
    """Audio and settings that every model is measured with.

    Attributes
    ----------
    audio : Path
        Audio file to listen to; it starts again at its end.
    hop_s : float
        Seconds between answers.
    rate : int
        Sample rate in Hz of the source that the file stands for.
    seconds : float
        Seconds of audio for each model.
    paced : bool
        True to listen in real time, as from a microphone.

    Raises
    ------
    UsageError
        If a number is out of range.
    """

    audio: Path
    hop_s: float
    rate: int
    seconds: float
    paced: bool

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= MAX_SECONDS:
            raise UsageError(f"--seconds {self.seconds:g}: must be greater than 0 and at most {MAX_SECONDS:g}")
        if not RATES[0] <= self.rate <= RATES[1]:
            raise UsageError(f"--rate {self.rate}: must be from {RATES[0]} to {RATES[1]}")

    def __str__(self) -> str:
        pace = ", in real time" if self.paced else ""
        return f"{self.audio} at {self.rate} Hz in blocks of {self.hop_s:g} s{pace}, {RUNTIME_THREADS} thread"

    def worker_arguments(self, source: Path) -> list[str]:
        """Arguments of edge.benchmark.worker after the model, given the file that `write_source` wrote."""
        pace = ["--pace"] if self.paced else []
        return [str(source), f"--hop={self.hop_s}", f"--seconds={self.seconds}", *pace]


@dataclass(frozen=True)
class ModelResult:
    """Everything that was measured of one model file."""

    measurement: Measurement
    network: dict[str, Any]  # keys as TFLite's benchmark_model names them
    command: WholeCommand


@dataclass(frozen=True)
class Results:
    """Measurements of all model files, and the machine before and after them."""

    conditions: Conditions
    before: Machine
    after: Machine
    models: tuple[ModelResult, ...]

    @property
    def measurements(self) -> list[Measurement]:
        """Measurement of each model."""
        return [result.measurement for result in self.models]


def measure_models(paths: Sequence[Path], conditions: Conditions, source: Path, before: Machine) -> Results:
    """Measure each model in fresh processes, on the file that `prepare` wrote.

    Parameters
    ----------
    paths
        Model files that `check_model` has accepted.
    conditions
        Same for all models.
    source
        Audio at the source's rate; more files are written beside it.
    before
        The machine before the measurement.

    Raises
    ------
    EdgeError
        If a measured process fails.
    """
    arguments = conditions.worker_arguments(source)
    names = short_names(paths)
    measured = {path: measure_in_process("edge.benchmark.worker", str(path), *arguments) for path in paths}
    networks = {path: module_json("edge.benchmark.network", str(path)) for path in paths}
    files = whole_command.write_files(source, source.parent)
    commands = {path: whole_command.measure(path, files, conditions.hop_s) for path in paths}
    results = tuple(
        ModelResult(replace(measured[path], model=names[path]), networks[path], commands[path]) for path in paths
    )
    return Results(conditions, before, this_machine(), results)


def measure_in_process(module: str, *arguments: str) -> Measurement:
    """Measurement by edge.benchmark.worker, or by a module with the same output, in a fresh process."""
    return from_fields(module_json(module, *arguments, f"--spawned={time.monotonic_ns()}"))


def model_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files given, and those in the folders given.

    Raises
    ------
    EdgeError
        If a folder holds no model file.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES)
        if not found:
            raise EdgeError(f"{path}: no {' or '.join(SUFFIXES)} file in this folder")
        yield from found


def check_model(path: Path, conditions: Conditions) -> None:
    """Raise EdgeError, before anything is measured, if a model can't listen here at this hop.

    This also brings the model and its runtime into the page cache: a warm start is measured later.
    """
    Listener(load_model(path, RUNTIME_THREADS), conditions.rate, conditions.hop_s)


def prepare(conditions: Conditions, folder: Path) -> Path:
    """Write the audio that stands for the source into a folder, and return its path."""
    source = folder / "source.wav"
    write_source(conditions.audio, source, conditions.seconds, conditions.rate)
    return source


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Shortest names that tell the files apart, without their common folder: reports are published."""
    folder = Path(os.path.commonpath([path.resolve().parent for path in paths]))
    return {path: str(path.resolve().relative_to(folder)) for path in paths}
