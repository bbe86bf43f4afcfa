"""The command edge-label: what kind of music each file of a folder is, as a table."""

import argparse
import contextlib
import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from edge.command import run
from edge.errors import EdgeError, UsageError

if TYPE_CHECKING:  # --help shall not wait for numpy
    from edge.decision import Answer
    from edge.model import Model

FIELDS = ("path", "state", "label", "confidence", "seconds")
AUDIO_SUFFIXES = {".wav", ".ogg", ".oga", ".opus", ".flac", ".mp3", ".au", ".aif", ".aiff", ".aifc", ".caf", ".w64"}


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    p = argparse.ArgumentParser(prog="edge-label", description="Write what kind of music each audio file is.")
    p.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="audio files, and folders to look for them in")
    p.add_argument("--out", type=Path, metavar="FILE", help="a .csv or .jsonl to write (standard output, as CSV)")
    p.add_argument("--model", type=Path, metavar="FILE", help="a .tflite or .onnx of convert.export")
    return p


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(lambda: label(parser().parse_args())))


def label(args: argparse.Namespace) -> int:
    """Label every file; raise EdgeError at the end if some could not be read."""
    if args.out and args.out.suffix not in (".csv", ".jsonl"):
        raise UsageError(f"--out {args.out}: has to end in .csv or .jsonl")
    from tqdm import tqdm

    from edge.model import SHIPPED, load

    files = sorted(set(audio_files(args.paths)))
    model = load(args.model or SHIPPED)
    unread = 0
    with open_table(args.out) as out, tqdm(files, unit="file", disable=not sys.stderr.isatty()) as progress:
        write = row_writer(out, as_json=bool(args.out) and args.out.suffix == ".jsonl")
        for path in progress:
            try:
                answer = label_file(model, path)
            except EdgeError as error:
                unread += 1
                progress.write(f"skipped: {error}", file=sys.stderr)
            else:
                write(path, answer)
    if unread:
        raise EdgeError(f"{unread} of {len(files)} files could not be labelled, see above")
    return 0


def open_table(path: Path | None) -> contextlib.AbstractContextManager[TextIO]:
    """The file to write, or standard output. File names that are no UTF-8 are written as the bytes they are."""
    if path:
        return path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")
    return contextlib.nullcontext(sys.stdout)


def audio_files(paths: list[Path]) -> Iterator[Path]:
    """The files named, and those with an audio suffix below the folders named. Raise EdgeError where there are none."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = [p for p in path.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES and p.is_file()]
        if not found:
            raise EdgeError(f"{path}: no audio file below this folder")
        yield from found


def label_file(model: "Model", path: Path) -> "Answer":
    """The answer for the whole of a file. Raise EdgeError for what is no audio, or too short."""
    from edge.ear import Ear
    from edge.sources import FileSource

    source = FileSource(path)
    ear = Ear(model, source.rate)
    for block in source.blocks():
        for _ in ear.hear(block):
            pass  # only the whole counts
    _, answer = ear.finish()
    if answer.state == "warming":
        raise EdgeError(f"{path}: {answer.t:.2f} s of audio are too short for an answer")
    return answer


def row_writer(out: TextIO, as_json: bool) -> Callable[[Path, "Answer"], None]:
    """A function that writes one file's answer, at once, so that nothing is lost when the command is stopped."""
    table = csv.DictWriter(out, FIELDS)
    if not as_json:
        table.writeheader()

    def write(path: Path, answer: "Answer") -> None:
        values = (str(path), answer.state, answer.label, round(answer.confidence, 4), round(answer.t, 2))
        fields = dict(zip(FIELDS, values, strict=True))
        if as_json:
            out.write(json.dumps(fields, ensure_ascii=False) + "\n")
        else:
            table.writerow(fields)
        out.flush()

    return write


if __name__ == "__main__":
    main()
