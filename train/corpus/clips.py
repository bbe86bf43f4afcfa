"""A corpus: a folder with one sub-folder per class, whose names are the labels."""

from dataclasses import dataclass
from pathlib import Path

from edge.errors import EdgeError, UsageError

OTHER = "other"  # the label of what `--other` adds, which is no music
GTZAN_FOLDER = "genres_original"  # where Kaggle's copy of GTZAN keeps its classes
# What lies around in corpora and is no audio; anything else is tried, and named if it can't be read.
NOT_AUDIO = frozenset(
    {".csv", ".tsv", ".txt", ".md", ".json", ".xml", ".html", ".pdf", ".png", ".jpg", ".jpeg", ".npy"}
)


@dataclass(frozen=True)
class Clip:
    """One audio file. `name` is its path inside the corpus; lists know it by `label` and `track`."""

    path: Path
    name: str
    label: str

    @property
    def track(self) -> str:
        """What lists call this clip: the file name without its suffix."""
        return self.path.stem


def find_clips(data: Path, other: Path | None = None) -> list[Clip]:
    """All clips of a corpus, sorted by class and name; `other` adds a class of what is not music.

    Raise EdgeError where there are fewer than two classes.
    """
    if not data.is_dir():
        raise UsageError(f"{data} is no folder; --data takes a folder with one sub-folder per class")
    root = data / GTZAN_FOLDER if (data / GTZAN_FOLDER).is_dir() else data
    folders = sorted(f for f in root.iterdir() if f.is_dir() and not f.name.startswith("."))
    clips = [Clip(path, path.relative_to(root).as_posix(), f.name) for f in folders for path in _audio_in(f)]
    for folder in folders:
        if not any(clip.label == folder.name for clip in clips):
            raise EdgeError(f"the class {folder.name} is empty: {folder} holds no audio file")
    if other is not None:
        clips += _other_clips(other, {folder.name for folder in folders})
    if len({clip.label for clip in clips}) < 2:
        raise EdgeError(f"{root} has {len(folders)} class folders; a corpus needs at least two, one per class")
    return clips


def _other_clips(other: Path, labels: set[str]) -> list[Clip]:
    if not other.is_dir():
        raise UsageError(f"{other} is no folder; --other takes a folder of audio that is not music")
    if OTHER in labels:
        raise UsageError(f'the corpus has a class "{OTHER}" already, so --other can\'t add it')
    clips = [Clip(path, f"{OTHER}/{path.relative_to(other).as_posix()}", OTHER) for path in _audio_in(other)]
    if not clips:
        raise EdgeError(f"{other} holds no audio file")
    return clips


def _audio_in(folder: Path) -> list[Path]:
    """The files under a folder that may be audio, sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix.lower() not in NOT_AUDIO
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
