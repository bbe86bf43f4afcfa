"""The command `python -m benchmarks.cost.boards [FILE|DIR...]`: reports of benchmarks.latency as one table.

Without words it shows those that lie beside it, which came from the boards they name.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.cost.boards.report import read
from benchmarks.cost.boards.table import table
from edge.command import run as run_command
from edge.errors import EdgeError

HERE = Path(__file__).parent
SUFFIX = ".json"


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    p = argparse.ArgumentParser(prog="benchmarks.cost.boards", description="Show what listening costs, board by board.")
    p.add_argument(
        "paths", nargs="*", type=Path, metavar="FILE", help="reports or folders of them (those of this project)"
    )
    return p


def main() -> int:
    """Read every report, then print the table."""
    paths = parser().parse_args().paths or [HERE]
    print(table([read(path) for path in report_files(paths)]))
    return 0


def report_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files named, and those in the folders named. Raise EdgeError for a folder without any."""
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
