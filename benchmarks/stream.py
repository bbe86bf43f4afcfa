"""The command `python -m benchmarks.stream --data DIR`: accuracy of the label on show while music changes.

Clips of one side of the corpus' lists are joined with hard changes, in a seeded order, until the hours are full.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.accuracy.clips import listed_clips
from benchmarks.accuracy.stream import measure
from edge.cli.exit_status import run as run_command
from edge.cli.parser import make_parser
from edge.errors import UsageError
from edge.json_file import check_writable, write_json
from edge.model.load import SHIPPED_MODEL
from edge.native_stderr import silence_native_stderr
from train.corpus import lists

MAX_HOURS = 24 * 366
EXAMPLES = (
    ("python -m benchmarks.stream --data GTZAN", "an hour of the valid side"),
    ("python -m benchmarks.stream --data GTZAN --model MODEL --hours 24", "a day, with another model"),
)


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    p = make_parser(
        "python -m benchmarks.stream",
        "Measure the accuracy of the label on show while music changes.",
        EXAMPLES,
        "benchmarks/README.md",
    )
    p.add_argument("--data", type=Path, required=True, metavar="DIR", help="corpus with lists, as for train.fit")
    p.add_argument(
        "--side", choices=lists.SIDES, default="valid", help="side of the lists to play (default: %(default)s)"
    )
    p.add_argument("--hours", type=float, default=1.0, metavar="N", help="hours of audio (default: %(default)g)")
    p.add_argument(
        "--model", type=Path, default=SHIPPED_MODEL, metavar="FILE", help="model file (default: the shipped model)"
    )
    p.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to this file")
    return p


def main() -> int:
    """Listen, measure, print."""
    args = parser().parse_args()
    if not 0 < args.hours <= MAX_HOURS:
        raise UsageError(f"--hours {args.hours:g}: must be greater than 0 and at most {MAX_HOURS} (a year)")
    check_writable(args.json)
    report = measure(args.model, listed_clips(args.data, args.side), args.hours)
    print(report)
    write_json(args.json, asdict(report))
    return 0


if __name__ == "__main__":
    silence_native_stderr()
    sys.exit(run_command(main, extra="bench"))
