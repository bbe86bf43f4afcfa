"""Layout of the run folder, and the arguments that make two runs the same run."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.errors import EdgeError
from train.files import write_errors, write_json

# With CHECKPOINT and HISTORY of train.network.loop these are all files of a run folder.
ARGUMENTS, METRICS, CARD = "run.json", "metrics.json", "card.json"
NETWORK, TRAINED = "network.keras", "trained.keras"
CALIBRATION, HELD_BACK, PLOTS = "calibration.npz", "held_back.npz", "pictures"
PREDICTIONS, FOLDS = "answers.npz", "folds.csv"  # of a split in folds


@dataclass(frozen=True)
class Arguments:
    """Arguments of a run. A run is resumed only if all but `command` are equal."""

    data: str
    other: str | None
    unlabelled: list[str]
    recipe: str
    split: str
    seed: int
    epochs: int
    corpus_sha256: str  # Dataset.fingerprint
    command: str  # as it was first typed


def refuse_finished(folder: Path) -> None:
    """Raise EdgeError if `folder` cannot take a run: it holds a finished run, or other files."""
    if (folder / METRICS).exists():
        raise EdgeError(f"{folder} is a finished run; choose another --out")
    if folder.exists() and not folder.is_dir():
        raise EdgeError(f"{folder} is not a folder; choose another --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / ARGUMENTS).exists():
        raise EdgeError(f"{folder} contains other files and no run; choose another --out")


def open_run(folder: Path, arguments: Arguments) -> Arguments:
    """Start a run or resume one.

    Returns
    -------
    Arguments
        Those of the run as it was started; their `command` may differ.

    Raises
    ------
    EdgeError
        If the folder holds a run with other arguments, or cannot be written.
    """
    if (folder / ARGUMENTS).exists():
        begun = read_arguments(folder)
        different = [
            name for name, value in asdict(arguments).items() if name != "command" and asdict(begun)[name] != value
        ]
        if different:
            raise EdgeError(f"{folder} is a run with other arguments ({', '.join(different)}); choose another --out")
        return begun
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / ARGUMENTS, asdict(arguments))
    return arguments


def read_arguments(folder: Path) -> Arguments:
    """Arguments of a run. Raises EdgeError if the folder holds no run."""
    try:
        return Arguments(**json.loads((folder / ARGUMENTS).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise EdgeError(f"{folder} is not a run folder: {error}") from None


def fold_folder(folder: Path, number: int) -> Path:
    """Folder of the run of one fold."""
    return folder / f"fold-{number}"
