"""The command edge-benchmark: does this machine keep up with listening, and at what cost?

Each model is measured in a fresh process (edge.benchmark.worker) on the same audio, a file that stands for a microphone
at 48 kHz. A hop is measured from the block of the source in hand to its answer; the audio hardware adds its own delay.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edge.benchmark import SOURCE_RATE
from edge.cli.exit_status import run
from edge.cli.parser import make_parser
from edge.config import HOP_SECONDS

if TYPE_CHECKING:  # numpy would slow --help
    from edge.benchmark.suite import Conditions

AUDIO_SECONDS = 300.0  # a new process is slower at first, and a 99th percentile needs hundreds of hops
DESCRIPTION = "Measure if this machine keeps up with listening, and what listening costs: latency, CPU time, memory."
EXAMPLES = (
    ("edge-benchmark", "the shipped model, in less than a minute"),
    ("edge-benchmark --pace --seconds 3000", "in real time, as from a microphone: 50 minutes"),
    ("edge-benchmark --model a.tflite b.onnx", "other models, one after the other"),
    ("edge-benchmark --json board.json", "a report of this board, to keep or to send"),
)


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    p = make_parser("edge-benchmark", DESCRIPTION, EXAMPLES, "edge/README.md")
    p.add_argument_group("model").add_argument(
        "--model",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="model files or folders of them (default: the shipped model)",
    )
    add_conditions(p)
    p.add_argument_group("output").add_argument(
        "--json", type=Path, metavar="FILE", help="write the whole report to this file"
    )
    return p


def add_conditions(p: argparse.ArgumentParser) -> None:
    """Add the options of the audio and of its processing."""
    group = p.add_argument_group("audio")
    group.add_argument("--audio", type=Path, metavar="FILE", help="listen to this file (default: the demo clip)")
    group.add_argument(
        "--hop", type=float, default=HOP_SECONDS, metavar="SECONDS", help="time between answers (default: %(default)s)"
    )
    group.add_argument(
        "--rate", type=int, default=SOURCE_RATE, metavar="HZ", help="sample rate of the source (default: %(default)s)"
    )
    group.add_argument(
        "--seconds",
        type=float,
        default=AUDIO_SECONDS,
        metavar="N",
        help="seconds of audio per model (default: %(default)g)",
    )
    group.add_argument("--pace", action="store_true", help="listen in real time, as from a microphone")


def conditions_of(args: argparse.Namespace) -> "Conditions":
    """Conditions of the options. Raise UsageError if one is out of range."""
    from edge.audio.open import DEMO_CLIP
    from edge.benchmark.suite import Conditions

    return Conditions(args.audio or DEMO_CLIP, args.hop, args.rate, args.seconds, args.pace)


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(lambda: command(parser().parse_args())))


def command(args: argparse.Namespace) -> int:
    """Check everything, measure every model, print the tables and the verdict."""
    from edge.benchmark.machine import this_machine
    from edge.benchmark.report import report
    from edge.benchmark.suite import check_model, measure_models, model_files, prepare
    from edge.benchmark.tables import tables
    from edge.json_file import check_writable, write_json
    from edge.model.load import SHIPPED_MODEL
    from edge.native_stderr import silence_native_stderr

    silence_native_stderr()

    conditions = conditions_of(args)
    models = list(model_files(args.model or [SHIPPED_MODEL]))
    for path in models:
        check_model(path, conditions)
    check_writable(args.json)
    machine = this_machine()
    with tempfile.TemporaryDirectory() as folder:
        source = prepare(conditions, Path(folder))
        print(machine, conditions, sep="\n", flush=True)
        results = measure_models(models, conditions, source, machine)
    written = report(results)
    print("", tables(results), "", written["verdict"], sep="\n")
    write_json(args.json, written)
    return 0


if __name__ == "__main__":
    main()
