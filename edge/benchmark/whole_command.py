"""CPU time of the whole command `edge-listen FILE --json > /dev/null`, beside that of the listening loop.

The loop that edge.benchmark.worker measures gets its audio for nothing. The command also decodes the file, converts
samples, and writes JSON. Two files of different length separate what each second of audio costs from the start-up.
"""

import resource
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from edge.benchmark.source import write_repeated
from edge.errors import EdgeError
from edge.python_module import module_command, module_environment
from edge.subprocess_error import failure_reason

LISTEN = "edge.cli.listen"  # the module of the command edge-listen
RUNS = 3  # of each file
SHORT_SECONDS = 30.0  # of audio in the shorter file
LONG_SECONDS = 150.0  # of audio in the longer file


@dataclass(frozen=True)
class Spread:
    """Least and median of several runs."""

    min: float
    median: float


@dataclass(frozen=True)
class WholeCommand:
    """CPU time (user and system, children included) of `edge-listen FILE --json > /dev/null`.

    The time per second of audio is the difference between a run on each file over the difference of their lengths. The
    start-up is the rest: Python, imports, model, and the end.
    """

    runs: int  # of each file; runs on the two files alternate, and neighbours are a pair
    short_audio_s: float
    long_audio_s: float
    cpu_ms_per_audio_s: Spread
    start_up_cpu_ms: Spread


def write_files(source: Path, folder: Path) -> tuple[Path, Path]:
    """Write the two files, 16-bit mono WAV, from a mono source that is repeated as needed.

    Returns
    -------
    The file of SHORT_SECONDS and the file of LONG_SECONDS.
    """
    short, long = folder / "short.wav", folder / "long.wav"
    write_repeated(source, short, SHORT_SECONDS)
    write_repeated(source, long, LONG_SECONDS)
    return short, long


def measure(model: Path, files: tuple[Path, Path], hop_s: float, runs: int = RUNS) -> WholeCommand:
    """Run the command `runs` times on each of the two files, alternately, after one run that isn't counted.

    Raises
    ------
    EdgeError
        If the command fails.
    """
    short, long = files
    short_s, long_s = (soundfile.info(file).duration for file in files)
    cpu_ms(model, short, hop_s)  # fills the page cache
    pairs = [(cpu_ms(model, short, hop_s), cpu_ms(model, long, hop_s)) for _ in range(runs)]
    return separated([pair[0] for pair in pairs], [pair[1] for pair in pairs], short_s, long_s)


def separated(short_ms: Sequence[float], long_ms: Sequence[float], short_s: float, long_s: float) -> WholeCommand:
    """Separate the cost of a second of audio from the start-up, given CPU times of runs on two files."""

    per_s = [(long - short) / (long_s - short_s) for short, long in zip(short_ms, long_ms, strict=True)]
    start_up = [short - each * short_s for short, each in zip(short_ms, per_s, strict=True)]
    return WholeCommand(len(short_ms), short_s, long_s, _spread(per_s), _spread(start_up))


def _spread(values: Sequence[float]) -> Spread:
    return Spread(min(values), statistics.median(values))


def cpu_ms(model: Path, audio: Path, hop_s: float) -> float:
    """CPU time in ms of one run, of the process and of its children that have ended.

    Raises
    ------
    EdgeError
        If the command fails.
    """
    command = module_command(LISTEN, str(audio), "--json", f"--model={model}", f"--hop={hop_s}")
    environment = module_environment()
    before = _children_s()
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    spent = _children_s() - before
    if done.returncode:
        raise EdgeError(f"edge-listen on {model}: {failure_reason(done, 'it')}")
    return spent * 1000


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
