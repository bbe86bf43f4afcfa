"""The command `python -m benchmarks.cost.boards [FILE|DIR...]`: reports of edge-benchmark as one table.

Without arguments it shows the reports in this folder, which came from the boards that they name.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.cost.boards.report import read
from benchmarks.cost.boards.table import table
from edge.cli.exit_status import run as run_command
from edge.cli.parser import make_parser
from edge.errors import EdgeError

HERE = Path(__file__).parent
SUFFIX = ".json"
EXAMPLES = (
    ("python -m benchmarks.cost.boards", "the reports of this project"),
    ("python -m benchmarks.cost.boards board.json", "a new one"),
)


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    p = make_parser(
        "python -m benchmarks.cost.boards",
        "Show the cost of listening by board.",
        EXAMPLES,
        "benchmarks/cost/boards/README.md",
    )
    p.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="reports or folders of them (default: the reports of this project)",
    )
    return p


def main() -> int:
    """Read every report, then print the table."""
    paths = parser().parse_args().paths or [HERE]
    print(table([read(path) for path in report_files(paths)]))
    return 0


def report_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files given, and those in the folders given. Raise EdgeError for a folder without any."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.glob(f"*{SUFFIX}"))
        if not found:
            raise EdgeError(f"{path}: no {SUFFIX} file in this folder")
        yield from found


if __name__ == "__main__":
    sys.exit(run_command(main))
