"""The command `python -m benchmarks.cost.arm [MODEL...]`: instructions that listening takes on 64-bit Arm, by stage.

They are counted, not estimated: the audio that edge-benchmark plays is processed in an emulated process
(benchmarks.cost.arm.guest), from the block of the source in hand to its answer, after a warm-up. The counts of two runs
differ by less than a thousandth, whatever else the machine does. They don't say how long a processor takes for them.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.cost.arm.count import Count, table, verdict
from benchmarks.cost.arm.emulator import PROCESSORS, Emulator
from benchmarks.cost.arm.guest import SECONDS
from edge.audio.open import DEMO_CLIP
from edge.benchmark import SOURCE_RATE
from edge.benchmark.source import write_source
from edge.benchmark.suite import model_files
from edge.cli.exit_status import run as run_command
from edge.cli.parser import make_parser
from edge.config import HOP_SECONDS
from edge.json_file import check_writable, write_json
from edge.model.file import read_model_file
from edge.model.load import SHIPPED_MODEL

TREE = Path(".venv/arm")
EXAMPLES = (
    ("make bench-arm", "makes what the command needs, then counts"),
    ("python -m benchmarks.cost.arm --cpu cortex-a76", "another processor"),
)


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    p = make_parser(
        "python -m benchmarks.cost.arm",
        "Count the instructions that listening takes on 64-bit Arm.",
        EXAMPLES,
        "benchmarks/README.md",
    )
    p.add_argument(
        "models",
        nargs="*",
        type=Path,
        metavar="MODEL",
        help="model files or folders of them (default: the shipped model)",
    )
    p.add_argument("--cpu", choices=PROCESSORS, default="cortex-a72", help="processor (default: %(default)s)")
    p.add_argument(
        "--tree", type=Path, default=TREE, metavar="DIR", help="result of make bench-arm (default: %(default)s)"
    )
    p.add_argument("--json", type=Path, metavar="FILE", help="write the whole report to this file")
    return p


def main() -> int:
    """Check everything, count for every model, print the table."""
    args = parser().parse_args()
    models = list(model_files(args.models or [SHIPPED_MODEL]))
    for path in models:
        read_model_file(path)
    emulator = Emulator(args.tree, args.cpu)
    check_writable(args.json)
    write_source(DEMO_CLIP, emulator.audio, SECONDS)
    counts = [Count(**emulator.run("benchmarks.cost.arm.guest", str(path), str(emulator.audio))) for path in models]
    sentence = verdict(counts, args.cpu)
    print(f"{DEMO_CLIP.name} at {SOURCE_RATE} Hz in blocks of {HOP_SECONDS:g} s, {SECONDS} s after the warm-up\n")
    print(table(counts), sentence, sep="\n\n")
    report = {
        "cpu": args.cpu,
        "audio": DEMO_CLIP.name,
        "audio_seconds": SECONDS,
        "source_rate_hz": SOURCE_RATE,
        "hop_s": HOP_SECONDS,
        "models": [asdict(count) for count in counts],
        "verdict": sentence,
    }
    write_json(args.json, report)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
