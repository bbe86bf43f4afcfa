"""The command edge-label: writes a table of the kind of music of each audio file in a folder."""

import argparse
import contextlib
import csv
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from edge.cli.exit_status import run
from edge.cli.parser import make_parser
from edge.errors import EdgeError, UsageError

if TYPE_CHECKING:  # numpy would slow --help
    from edge.answer import Answer

FIELDS = ("path", "state", "label", "confidence", "seconds")
EXAMPLES = (
    ("edge-label ~/Music --out labels.csv", "a folder and the folders below it"),
    ("edge-label song.flac", "one file, CSV on standard output"),
    ("edge-label ~/Music --out labels.jsonl", "JSON lines"),
)


def parser() -> argparse.ArgumentParser:
    """The argument parser."""
    p = make_parser("edge-label", "Write the kind of music of each audio file as a table.", EXAMPLES, "edge/README.md")
    p.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="audio files, and folders to search for them")
    p.add_argument("--out", type=Path, metavar="FILE", help="table to write, .csv or .jsonl (default: CSV on stdout)")
    p.add_argument("--model", type=Path, metavar="FILE", help=".tflite or .onnx file of convert.export")
    return p


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(lambda: label_all(parser().parse_args())))


def label_all(args: argparse.Namespace) -> int:
    """Label every file. Raise EdgeError at the end if some could not be labelled."""
    if args.out and args.out.suffix not in (".csv", ".jsonl"):
        raise UsageError(f"--out {args.out}: the name must end in .csv or .jsonl")
    from tqdm import tqdm

    from edge.api import label
    from edge.model.load import SHIPPED_MODEL, load_model
    from edge.native_stderr import silence_native_stderr

    silence_native_stderr()
    files, problems = find_audio(args.paths)
    model = load_model(args.model or SHIPPED_MODEL)
    for problem in problems:
        print(f"skipped: {problem}", file=sys.stderr)
    if not files:
        raise EdgeError("no audio file to label")
    failed = 0
    with open_table(args.out) as out, tqdm(files, unit="file", disable=not sys.stderr.isatty()) as progress:
        write = row_writer(out, as_json=bool(args.out) and args.out.suffix == ".jsonl")
        for path in progress:
            try:
                answer = label(path, model)
            except EdgeError as error:
                failed += 1
                progress.write(f"skipped: {error}", file=sys.stderr)
            else:
                write(path, answer)
    if failed:
        raise EdgeError(f"{failed} of {len(files)} files could not be labelled, see above")
    if problems:
        raise EdgeError(f"{len(problems)} of {len(args.paths)} paths have no audio file, see above")
    return 0


def open_table(path: Path | None) -> contextlib.AbstractContextManager[TextIO]:
    """Open the file to write, or standard output; a file name that is not UTF-8 is written as its bytes."""
    if path:
        return path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
    return contextlib.nullcontext(sys.stdout)


def find_audio(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """Find audio files.

    Returns
    -------
    The given files and those with an audio suffix below the given folders, sorted, and a sentence for each folder
    without any.
    """
    from edge.audio.files import AUDIO_SUFFIXES

    files: set[Path] = set()
    problems = []
    for path in paths:
        # Not Path.is_dir and Path.is_file: they raise OSError for a path that can't be looked up.
        if not os.path.isdir(path):  # noqa: PTH112
            files.add(path)
        elif found := [p for p in path.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES and os.path.isfile(p)]:  # noqa: PTH113
            files.update(found)
        else:
            problems.append(f"{path}: no audio file below this folder")
    return sorted(files), problems


def row_writer(out: TextIO, as_json: bool) -> "Callable[[Path, Answer], None]":
    """Make a function that writes the answer of one file at once, so that nothing is lost when the command stops."""
    table = csv.DictWriter(out, FIELDS)
    if not as_json:
        table.writeheader()

    def write(path: Path, answer: "Answer") -> None:
        values = (str(path), answer.state, answer.label, round(answer.confidence, 4), round(answer.time, 2))
        fields = dict(zip(FIELDS, values, strict=True))
        if as_json:
            out.write(json.dumps(fields, ensure_ascii=False) + "\n")
        else:
            table.writerow(fields)
        out.flush()

    return write


if __name__ == "__main__":
    main()
