"""The command `python -m benchmarks.accuracy --data DIR`: how right a model is about the music of a corpus.

Each clip of one side of the lists is labelled as edge-label does it. With `--room` the same clips are also heard in a
simulated room, with `--yardsticks` two other classifiers learn from the train side and answer the same clips.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from benchmarks.accuracy import tables as table
from benchmarks.accuracy.baselines import musicnn_means
from benchmarks.accuracy.comparison import FoldTable, Table, compare, compare_across, describe
from benchmarks.accuracy.cross_validation import read_folds
from benchmarks.accuracy.evaluation import Judged, Paired, Report, Share, paired, report, with_groups
from edge.card import Card, Training
from edge.command import run as run_command
from edge.errors import EdgeError, UsageError
from edge.label import label_file
from edge.model import SHIPPED, Model, load
from train import lists
from train.corpus import OTHER, Clip, find_clips
from train.splits import side_of_other

OTHER_SEED = 0  # what train.fit takes where it is told no other
LEARNED = {"lists": ("train",), "folds": ("train", "valid")}  # by split: the sides that the network has learned from
CLEAN, ROOM = "clean", "room"  # where clips are heard


@dataclass(frozen=True)
class Corpus:
    """What lists say of a corpus, and what is no music."""

    music: dict[str, list[Clip]]  # side → clips
    other: list[Clip]  # of the side that is judged
    sources: dict[str, str]  # clip name → where its audio comes from


@dataclass(frozen=True)
class Heard:
    """What a model said of music, and of what is none."""

    music: list[Judged]
    other: list[Judged]


@dataclass(frozen=True)
class Found:
    """All that was measured; what was not asked for is None."""

    model: str
    data: str
    side: str
    note: str | None
    music: Report
    other: dict[str, Share] | None
    room: dict[str, Paired] | None
    yardsticks: dict[str, Table] | None  # by where the clips were heard
    folds: FoldTable | None


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    p = argparse.ArgumentParser(prog="benchmarks.accuracy", description="Measure how right a model is about music.")
    p.add_argument("--data", type=Path, required=True, metavar="DIR", help="a corpus with lists, as train.fit takes it")
    p.add_argument("--other", type=Path, metavar="DIR", help="a folder of audio that is not music")
    p.add_argument("--side", choices=lists.SIDES, default="valid", help="whose clips to judge (valid)")
    p.add_argument("--model", type=Path, default=SHIPPED, metavar="FILE", help="a model file (the shipped one)")
    p.add_argument("--room", action="store_true", help="hear the clips in a simulated room as well")
    p.add_argument("--yardsticks", action="store_true", help="let MFCC + SVM and MusiCNN + LR answer the same clips")
    p.add_argument("--run", type=Path, metavar="RUN", help="and across the folds of a run of train.fit --split folds")
    p.add_argument("--json", type=Path, metavar="FILE", help="where to write the numbers")
    return p


def main() -> int:
    """Check the words, listen, measure; each part is printed as soon as it is known."""
    args = parser().parse_args()
    check(args)
    model = load(args.model)
    corpus = read_corpus(args.data, args.other, args.side)
    judged, learned = corpus.music[args.side], corpus.music["train"]
    refuse_unknown(judged, model.card)
    folds = read_folds(args.run, [clip for clips in corpus.music.values() for clip in clips]) if args.run else []

    note = trained_on(model.card.training, args.side)
    print(f"{args.model} on the {args.side} clips of {args.data}", *([note] if note else []), sep="\n", flush=True)
    heard = Heard(listen(model, judged, corpus.sources), listen(model, corpus.other, corpus.sources))
    music = report(heard.music, model.card)
    show(table.report(music))
    other = with_groups([(j.clip.path.parent.name, j.refused) for j in heard.other]) if heard.other else None
    if other:
        show(table.shares("what is no music, and got no genre", other))
    in_room, room, beside, across = None, None, None, None
    with tempfile.TemporaryDirectory() as folder:
        if args.room:
            in_room = Heard(
                listen_in_room(model, heard.music, Path(folder, "music")),
                listen_in_room(model, heard.other, Path(folder, "other")),
            )
            room = changes(heard, in_room)
            show(table.changes("in a simulated room", (CLEAN, ROOM), room))
        if args.yardsticks:
            features = describe([*learned, *judged, *(f.clip for f in folds)])
            beside = {CLEAN: compare(heard.music, learned, features, features)}
            if in_room:
                beside[ROOM] = compare(in_room.music, learned, features, describe(j.clip for j in in_room.music))
            for where, rows in beside.items():
                show(table.side_by_side(f"beside the yardsticks, {where}", rows))
            if folds:
                across = compare_across(folds, features)
                show(table.side_by_side(f"across the folds of {args.run}", across.accuracy))
                show(table.changes("what the recipe has ahead", ("yardstick", "recipe"), across.ahead))
    if args.json:
        measured = (note, music, other, room, beside, across)
        found = Found(str(args.model), str(args.data), args.side, *measured)
        args.json.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    return 0


def check(args: argparse.Namespace) -> None:
    """Raise UsageError for words that don't go together, EdgeError for what is not installed."""
    if args.run and not args.yardsticks:
        raise UsageError("--run compares with the yardsticks; add --yardsticks")
    if args.yardsticks and args.side == "train":
        raise UsageError("the yardsticks learn the train side; judge them with --side valid or --side test")
    if args.room and importlib.util.find_spec("pyroomacoustics") is None:
        raise EdgeError("--room needs pyroomacoustics: pip install pyroomacoustics")
    if args.yardsticks:
        musicnn_means([])  # says that it is not installed now, not after minutes of listening


def read_corpus(data: Path, other: Path | None, side: str) -> Corpus:
    """The clips to judge, and those to learn. Raise EdgeError where there is nothing to judge."""
    clips = find_clips(data, other)
    matched = lists.match(clips, data)
    music: dict[str, list[Clip]] = {name: [] for name in lists.SIDES}
    for clip in clips:
        if clip.name in matched.sides:
            music[matched.sides[clip.name]].append(clip)
    if not music[side]:
        raise EdgeError(f"{data}: no clip is listed as {side}")
    others = [c for c in clips if other and c.label == OTHER and side_of_other(c.name, OTHER_SEED) == side]
    if other and not others:
        raise EdgeError(f"{other}: no clip falls on the {side} side, which a hash of its name decides")
    return Corpus(music, others, matched.sources)


def refuse_unknown(clips: Sequence[Clip], card: Card) -> None:
    """Raise EdgeError where a class has no name in the model."""
    if unknown := sorted({clip.label for clip in clips} - set(card.labels)):
        raise EdgeError(f"the model has no label {', '.join(unknown)}; it knows {', '.join(card.labels)}")


def trained_on(training: Training, side: str) -> str | None:
    """A sentence, if the model's card says that it has learned clips of this side; splits of its own mix the sides."""
    if side not in LEARNED.get(training.split, lists.SIDES):
        return None
    some = "some of these" if training.split in ("tracks", "segments") else "these"
    return (
        f'TRAINED ON {some.upper()} CLIPS, says its card (corpus {training.corpus}, split "{training.split}"): '
        "this is no accuracy on new music"
    )


def listen(model: Model, clips: Sequence[Clip], sources: dict[str, str]) -> list[Judged]:
    """What edge-label says of each clip; those that it can't label are named on standard error.

    Raise EdgeError where there are clips, and none could be labelled.
    """
    judged: list[Judged] = []
    with tqdm(clips, desc="listening", unit="clip", disable=None, leave=False) as progress:
        for clip in progress:
            try:
                judged.append(Judged(clip, sources.get(clip.name, ""), label_file(model, clip.path)))
            except EdgeError as error:
                progress.write(f"skipped: {error}", file=sys.stderr)
    if clips and not judged:
        raise EdgeError(f"none of {len(clips)} clips could be labelled, see above")
    return judged


def listen_in_room(model: Model, judged: Sequence[Judged], folder: Path) -> list[Judged]:
    """What the model says of the same clips in a room; the recordings are left in `folder`."""
    from benchmarks.accuracy.in_room import record

    return listen(model, record([j.clip for j in judged], folder), {j.clip.name: j.source for j in judged})


def changes(clean: Heard, room: Heard) -> dict[str, Paired]:
    """What the room changes: how often the model is right, and how often it gives no genre."""
    found = {
        "accuracy": change(clean.music, room.music, lambda j: j.right),
        "music, no genre": change(clean.music, room.music, lambda j: j.refused),
    }
    if clean.other:
        found["no music, no genre"] = change(clean.other, room.other, lambda j: j.refused)
    return found


def change(clean: Sequence[Judged], room: Sequence[Judged], hit: Callable[[Judged], bool]) -> Paired:
    """What the room changes about one thing, on the clips that were heard in both."""
    before, after = ({j.clip.name: hit(j) for j in judged} for judged in (clean, room))
    both = [name for name in before if name in after]
    return paired([before[name] for name in both], [after[name] for name in both])


def show(part: str) -> None:
    """Print a part of the report behind an empty line."""
    print(f"\n{part}", flush=True)


if __name__ == "__main__":
    sys.exit(run_command(main))
