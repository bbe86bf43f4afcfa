"""The command `python -m benchmarks.latency [FILE...]`: costs of listening on this machine, beside its competitors.

The models are measured as edge-benchmark does it (edge.benchmark). What people run instead
(benchmarks.cost.competitors) listens to the same audio in the same way, as far as it is installed here.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.cost.comparison import compare, competitor_table
from edge.benchmark.machine import this_machine
from edge.benchmark.report import report
from edge.benchmark.suite import check_model, measure_models, model_files, prepare
from edge.benchmark.tables import tables
from edge.cli.benchmark import add_conditions, conditions_of
from edge.cli.exit_status import run as run_command
from edge.cli.parser import make_parser
from edge.json_file import check_writable, write_json
from edge.model.load import SHIPPED_MODEL
from edge.native_stderr import silence_native_stderr

EXAMPLES = (
    ("python -m benchmarks.latency", "the shipped model and its competitors"),
    ("python -m benchmarks.latency models --alone", "all models of a folder"),
)


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    p = make_parser(
        "python -m benchmarks.latency",
        "Measure what listening costs on this machine, beside what people run instead.",
        EXAMPLES,
        "benchmarks/README.md",
    )
    p.add_argument(
        "models",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="model files or folders of them (default: the shipped model)",
    )
    add_conditions(p)
    p.add_argument("--alone", action="store_true", help="measure no competitors, like edge-benchmark")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the whole report to this file")
    return p


def main() -> int:
    """Check everything, measure every model, then the competitors; print the tables and the verdict."""
    args = parser().parse_args()
    conditions = conditions_of(args)
    models = list(model_files(args.models or [SHIPPED_MODEL]))
    for path in models:
        check_model(path, conditions)
    check_writable(args.json)
    machine = this_machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = prepare(conditions, folder)
        print(machine, conditions, sep="\n", flush=True)
        results = measure_models(models, conditions, source, machine)
        print("", tables(results), sep="\n", flush=True)
        competitors, skipped = ([], []) if args.alone else compare(folder, conditions.worker_arguments(source))
    if not args.alone:
        print("", competitor_table(results.measurements[0], competitors), *skipped, sep="\n")
    written = report(results, competitors)
    print("", written["verdict"], sep="\n")
    write_json(args.json, written)
    return 0


if __name__ == "__main__":
    silence_native_stderr()
    sys.exit(run_command(main, extra="bench"))
