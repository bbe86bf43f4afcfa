"""The run folder: what a run was asked for, how far it has come, and what it leaves."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.errors import EdgeError

ARGUMENTS, METRICS, CARD, HISTORY = "run.json", "metrics.json", "card.json", "history.csv"
NETWORK, TRAINED, CHECKPOINT = "network.keras", "trained.keras", "checkpoint.keras"
CALIBRATION, HELD_BACK, PICTURES = "calibration.npz", "held_back.npz", "pictures"
ANSWERS, FOLDS = "answers.npz", "folds.csv"  # of a split in folds


@dataclass(frozen=True)
class Arguments:
    """What has to be equal for a run to be the same run."""

    data: str
    other: str | None
    unlabelled: list[str]
    recipe: str
    split: str
    seed: int
    epochs: int
    corpus_sha256: str  # Dataset.fingerprint
    command: str  # as it was first typed


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what goes wrong while writing below `folder` into one sentence."""
    try:
        yield
    except OSError as error:
        # h5py reports a full disk without an errno of its own.
        if error.errno == errno.ENOSPC or "No space left" in str(error):
            raise EdgeError(f"no space left for the run folder {folder}; make room and start again") from None
        raise EdgeError(f"can't write the run folder {folder}: {error.strerror or error}") from None


def refuse_finished(folder: Path) -> None:
    """Raise EdgeError where `folder` can't take a run: finished already, or something else altogether."""
    if (folder / METRICS).exists():
        raise EdgeError(f"{folder} is a finished run; choose another --out")
    if folder.exists() and not folder.is_dir():
        raise EdgeError(f"{folder} is no folder; choose another --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / ARGUMENTS).exists():
        raise EdgeError(f"{folder} holds something else than a run; choose another --out")


def open_run(folder: Path, arguments: Arguments) -> Arguments:
    """Start a run, or go on with one: its arguments. Raise EdgeError where they were different."""
    if (folder / ARGUMENTS).exists():
        begun = read_arguments(folder)
        different = [
            name for name, value in asdict(arguments).items() if name != "command" and asdict(begun)[name] != value
        ]
        if different:
            raise EdgeError(f"{folder} is a run of other arguments ({', '.join(different)}); choose another --out")
        return begun
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / ARGUMENTS, asdict(arguments))
    return arguments


def read_arguments(folder: Path) -> Arguments:
    """The arguments a run was started with. Raise EdgeError for a folder that is no run."""
    try:
        return Arguments(**json.loads((folder / ARGUMENTS).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise EdgeError(f"{folder} is no run folder: {error}") from None


def fold_folder(folder: Path, number: int) -> Path:
    """Where the run of a fold is kept."""
    return folder / f"fold-{number}"


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that it is there completely or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path of the same suffix, which takes `path`'s place when all has gone well."""
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
