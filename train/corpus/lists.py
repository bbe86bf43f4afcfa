"""Lists that fix a split: `tracks.csv`, or `train*.txt`, `valid*.txt` and `test*.txt`, in the corpus folder."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edge.errors import EdgeError
from train.corpus.clips import Clip

SIDES = ("train", "valid", "test")
TABLE = "tracks.csv"


@dataclass(frozen=True)
class ListedTrack:
    """One line of a list. `label` is None if the line has the file name only."""

    track: str
    label: str | None
    side: str
    source: str
    artist: str
    where: str  # file and line, for messages


@dataclass(frozen=True)
class ListedClips:
    """The clips of a corpus that are on its lists."""

    sides: dict[str, str]  # clip name → train, valid or test; clips that are on no list are missing
    sources: dict[str, str]  # clip name → origin of its audio, for clips whose line names it
    artists: dict[str, str]  # clip name → artist, for clips whose line names one
    missing: list[str]  # lines whose file does not exist


def has_lists(data: Path) -> bool:
    """Return True if a corpus folder contains lists."""
    return (data / TABLE).is_file() or any(next(data.glob(f"{side}*.txt"), None) for side in SIDES)


def match(clips: list[Clip], data: Path, needed: tuple[str, ...] = ("train", "valid")) -> ListedClips:
    """Look up the lines of a corpus' lists among its clips.

    Parameters
    ----------
    clips
        Clips of the corpus.
    data
        Folder with the lists.
    needed
        Sides that must have at least one clip.

    Raises
    ------
    EdgeError
        If there are no lists, a line names an unknown label, a clip is on two sides, or a needed side is empty.
    """
    labels = {clip.label for clip in clips}
    listed = list(_read(data, labels))
    by_track: dict[str, list[Clip]] = {}
    for clip in clips:
        by_track.setdefault(clip.track, []).append(clip)
    sides: dict[str, str] = {}
    sources: dict[str, str] = {}
    artists: dict[str, str] = {}
    missing = []
    for line in listed:
        found = [clip for clip in by_track.get(line.track, ()) if line.label in (None, clip.label)]
        if not found:
            missing.append(f"{line.track} ({line.where})")
        for clip in found:
            if sides.setdefault(clip.name, line.side) != line.side:
                raise EdgeError(f"{line.where}: {line.track} is listed as {line.side} and as {sides[clip.name]}")
            if line.source:
                sources[clip.name] = line.source
            if line.artist:
                artists[clip.name] = line.artist
    for side in needed:
        if side not in sides.values():
            raise EdgeError(f"the lists in {data} put no clip on the {side} side")
    return ListedClips(sides, sources, artists, missing)


def _read(data: Path, labels: set[str]) -> Iterator[ListedTrack]:
    if (data / TABLE).is_file():
        yield from _read_table(data / TABLE, labels)
        return
    files = [(side, path) for side in SIDES for path in sorted(data.glob(f"{side}*.txt"))]
    if not files:
        raise EdgeError(f"{data} contains no lists: the split needs {TABLE}, or train*.txt and valid*.txt")
    for side, path in files:
        for number, line in enumerate(_text(path).splitlines(), 1):
            if line.strip():
                yield _parse_path(line.strip(), side, f"{path.name} line {number}", labels)


def _parse_path(line: str, side: str, where: str, labels: set[str]) -> ListedTrack:
    path = PurePosixPath(line.replace("\\", "/"))
    folders = path.parts[:-1]
    label = next((part for part in folders if part in labels), None)
    if folders and label is None:
        raise EdgeError(f'{where}: "{line}" names no class of the corpus, which has {", ".join(sorted(labels))}')
    return ListedTrack(path.stem, label, side, "", "", where)


def _read_table(path: Path, labels: set[str]) -> Iterator[ListedTrack]:
    reader = csv.DictReader(_text(path).splitlines())
    columns = set(reader.fieldnames or ())
    if not {"track", "split"} <= columns or not columns & {"genre", "label"}:
        raise EdgeError(f"{path} needs the columns track, genre (or label) and split; it has {sorted(columns)}")
    for row in reader:
        where = f"{path.name} line {reader.line_num}"
        label, side = row.get("genre") or row.get("label"), row["split"]
        if label not in labels:
            raise EdgeError(f'{where}: no class "{label}" in the corpus, which has {", ".join(sorted(labels))}')
        if side not in SIDES:
            raise EdgeError(f'{where}: the split is "{side}", not one of {", ".join(SIDES)}')
        yield ListedTrack(row["track"], label, side, row.get("source") or "", row.get("artist") or "", where)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EdgeError(f"cannot read the list {path}: {error}") from None
