"""The command `python -m benchmarks.cost.arm [MODEL...]`: instructions that listening takes a 64-bit Arm, stage by stage.

They are counted, not estimated: the audio that benchmarks.latency plays is heard in an emulated process
(benchmarks.cost.arm.guest), from a block of the source in hand to its answer, after a warm-up. The counts of two runs differ
by less than a thousandth, whatever else the machine does; how long a processor takes for them, they don't tell.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.cost.arm.count import Count, table, verdict
from benchmarks.cost.arm.emulator import PROCESSORS, Emulator
from benchmarks.cost.arm.guest import SECONDS
from benchmarks.latency import SOURCE_RATE, model_files, write_source
from edge import HOP_SECONDS
from edge.command import run as run_command
from edge.container import read
from edge.listen import DEMO
from edge.model import SHIPPED

TREE = Path(".venv/arm")


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    p = argparse.ArgumentParser(prog="benchmarks.cost.arm", description="Count the Arm instructions that listening takes.")
    p.add_argument(
        "models", nargs="*", type=Path, metavar="MODEL", help="model files or folders of them (the shipped one)"
    )
    p.add_argument("--cpu", choices=PROCESSORS, default="cortex-a72", help="the processor (cortex-a72)")
    p.add_argument("--tree", type=Path, default=TREE, metavar="DIR", help=f"what make bench-arm has made ({TREE})")
    p.add_argument("--json", type=Path, metavar="FILE", help="where to write all of it")
    return p


def main() -> int:
    """Check everything, count for every model, print the table."""
    args = parser().parse_args()
    models = list(model_files(args.models or [SHIPPED]))
    for path in models:
        read(path)
    emulator = Emulator(args.tree, args.cpu)
    write_source(DEMO, emulator.audio, SECONDS)
    counts = [Count(**emulator.run("benchmarks.cost.arm.guest", str(path), str(emulator.audio))) for path in models]
    said = verdict(counts, args.cpu)
    print(f"{DEMO.name} at {SOURCE_RATE} Hz in blocks of {HOP_SECONDS:g} s, {SECONDS} s after the warm-up\n")
    print(table(counts), said, sep="\n\n")
    if args.json:
        report = {
            "cpu": args.cpu,
            "audio": DEMO.name,
            "audio_seconds": SECONDS,
            "source_rate_hz": SOURCE_RATE,
            "hop_s": HOP_SECONDS,
            "models": [asdict(count) for count in counts],
            "verdict": said,
        }
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
