"""Audio files of a corpus: a folder with one sub-folder per class, whose names are the labels."""

from dataclasses import dataclass
from pathlib import Path

from edge.errors import EdgeError, UsageError

OTHER = "other"  # label of the class that `--other` adds, which is not music
GTZAN_FOLDER = "genres_original"  # Kaggle's copy of GTZAN keeps its classes there
# Common files of a corpus that are not audio. Every other file is decoded, and reported if that fails.
NOT_AUDIO = frozenset(
    {".csv", ".tsv", ".txt", ".md", ".json", ".xml", ".html", ".pdf", ".png", ".jpg", ".jpeg", ".npy"}
)


@dataclass(frozen=True)
class Clip:
    """One audio file. `name` is its path relative to the corpus; lists refer to it by `label` and `track`."""

    path: Path
    name: str
    label: str

    @property
    def track(self) -> str:
        """Name of this clip in lists: the file name without its suffix."""
        return self.path.stem


def find_clips(data: Path, other: Path | None = None) -> list[Clip]:
    """Find the clips of a corpus.

    Parameters
    ----------
    data
        Folder with one sub-folder per class, or with `genres_original`, which holds the sub-folders.
    other
        Folder of audio that is not music. Its files become one more class, OTHER.

    Returns
    -------
    list of Clip
        Sorted by class and name. Files that may not be audio are included; decoding decides.

    Raises
    ------
    UsageError
        If a folder does not exist or the corpus already has a class OTHER.
    EdgeError
        If a class is empty or there are fewer than two classes.
    """
    if not data.is_dir():
        raise UsageError(f"{data} is not a folder; --data expects a folder with one sub-folder per class")
    root = data / GTZAN_FOLDER if (data / GTZAN_FOLDER).is_dir() else data
    folders = sorted(f for f in root.iterdir() if f.is_dir() and not f.name.startswith("."))
    clips = [Clip(path, path.relative_to(root).as_posix(), f.name) for f in folders for path in _audio_in(f)]
    for folder in folders:
        if not any(clip.label == folder.name for clip in clips):
            raise EdgeError(f"the class {folder.name} is empty: {folder} contains no audio file")
    if other is not None:
        clips += _other_clips(other, {folder.name for folder in folders})
    if len({clip.label for clip in clips}) < 2:
        raise EdgeError(f"{root} has {len(folders)} class folders; a corpus needs at least two, one per class")
    return clips


def _other_clips(other: Path, labels: set[str]) -> list[Clip]:
    if not other.is_dir():
        raise UsageError(f"{other} is not a folder; --other expects a folder of audio that is not music")
    if OTHER in labels:
        raise UsageError(f'the corpus already has a class "{OTHER}", so --other cannot add one')
    clips = [Clip(path, f"{OTHER}/{path.relative_to(other).as_posix()}", OTHER) for path in _audio_in(other)]
    if not clips:
        raise EdgeError(f"{other} contains no audio file")
    return clips


def _audio_in(folder: Path) -> list[Path]:
    """Files below a folder that may be audio, sorted; hidden files and folders are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix.lower() not in NOT_AUDIO
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
