"""The command `python -m benchmarks.accuracy --data DIR`: accuracy of a model on the music of a corpus.

Each clip of one side of the lists is labelled in the same way as by edge-label. With `--room` the same clips are also
labelled as recorded in a simulated room; with `--baselines` two other classifiers are trained on the train side and
label the same clips.
"""

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.accuracy import tables
from benchmarks.accuracy.baselines import musicnn_means
from benchmarks.accuracy.clips import check_labels, read_corpus
from benchmarks.accuracy.comparison import compare, compare_folds, compute_features
from benchmarks.accuracy.cross_validation import read_folds
from benchmarks.accuracy.evaluation import Paired, Prediction, paired, report, with_groups
from edge import label
from edge.cli.exit_status import run as run_command
from edge.cli.parser import make_parser
from edge.errors import EdgeError, UsageError
from edge.json_file import check_writable, write_json
from edge.model.card import Training
from edge.model.load import SHIPPED_MODEL, load_model
from edge.model.model import Model
from edge.native_stderr import silence_native_stderr
from train.corpus import lists
from train.corpus.clips import Clip

TRAINED = {"lists": ("train",), "folds": ("train", "valid")}  # sides that the network was trained on, by split
CLEAN, ROOM = "clean", "room"  # recordings of the clips
EXAMPLES = (
    ("python -m benchmarks.accuracy --data GTZAN --other NOISES", "the shipped model on the valid side"),
    ("python -m benchmarks.accuracy --data GTZAN --model MODEL --room --baselines", "in a room, and beside baselines"),
)


@dataclass(frozen=True)
class Predictions:
    """Predictions of a model on music, and on audio that is not music."""

    music: list[Prediction]
    other: list[Prediction]


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    p = make_parser(
        "python -m benchmarks.accuracy",
        "Measure the accuracy of a model on the music of a corpus.",
        EXAMPLES,
        "benchmarks/README.md",
    )
    p.add_argument("--data", type=Path, required=True, metavar="DIR", help="corpus with lists, as for train.fit")
    p.add_argument("--other", type=Path, metavar="DIR", help="folder of audio that is not music")
    p.add_argument(
        "--side", choices=lists.SIDES, default="valid", help="side of the lists to evaluate (default: %(default)s)"
    )
    p.add_argument(
        "--model", type=Path, default=SHIPPED_MODEL, metavar="FILE", help="model file (default: the shipped model)"
    )
    p.add_argument("--room", action="store_true", help="evaluate the clips in a simulated room, too")
    p.add_argument(
        "--baselines", action="store_true", help="compare with MFCC + SVM and MusiCNN + LR on the same clips"
    )
    p.add_argument(
        "--run",
        type=Path,
        metavar="RUN",
        help="compare with the baselines on the folds of train.fit --split folds, too",
    )
    p.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to this file")
    return p


def main() -> int:
    """Check the arguments, label the clips, evaluate; each part is printed as soon as it is known."""
    args = parser().parse_args()
    check(args)
    model = load_model(args.model)
    corpus = read_corpus(args.data, args.other, args.side)
    clips, train_clips = corpus.music[args.side], corpus.music["train"]
    check_labels(clips, model.card)
    all_clips = [clip for of_side in corpus.music.values() for clip in of_side]
    folds = read_folds(args.run, all_clips) if args.run else []

    note = leak_note(model.card.training, args.side)
    print(f"{args.model} on the {args.side} clips of {args.data}", *([note] if note else []), sep="\n", flush=True)
    clean = Predictions(predict(model, clips, corpus.sources), predict(model, corpus.other, corpus.sources))
    results = Results(str(args.model), str(args.data), args.side, note)
    results.add("music", evaluated := report(clean.music, model.card), tables.report(evaluated))
    if clean.other:
        by_class = with_groups([(p.clip.path.parent.name, p.without_genre) for p in clean.other])
        results.add("other", by_class, tables.shares("audio that is not music, without a genre", by_class))
    with tempfile.TemporaryDirectory() as folder:
        room = None
        if args.room:
            room = predict_in_room(model, clean, Path(folder))
            changed = changes(clean, room)
            results.add("room", changed, tables.changes("in a simulated room", (CLEAN, ROOM), changed))
        if args.baselines:
            features = compute_features([*train_clips, *clips, *(f.clip for f in folds)])
            beside = {CLEAN: compare(clean.music, train_clips, features, features)}
            if room:
                in_room = compute_features(p.clip for p in room.music)
                beside[ROOM] = compare(room.music, train_clips, features, in_room)
            text = [tables.side_by_side(f"beside the baselines, {where}", rows) for where, rows in beside.items()]
            results.add("yardsticks", beside, *text)
            if folds:
                across = compare_folds(folds, features)
                text = [
                    tables.side_by_side(f"across the folds of {args.run}", across.accuracy),
                    tables.changes("lead of the recipe", ("baseline", "recipe"), across.ahead),
                ]
                results.add("folds", across, *text)
    write_json(args.json, results.fields)
    return 0


class Results:
    """Numbers of the JSON report; each part is printed when it is added, and what is not measured stays None."""

    def __init__(self, model: str, data: str, side: str, note: str | None) -> None:
        parts = dict.fromkeys(("music", "other", "room", "yardsticks", "folds"))
        self.fields: dict[str, Any] = {"model": model, "data": data, "side": side, "note": note, **parts}

    def add(self, name: str, numbers: Any, *texts: str) -> None:
        """Keep the numbers of a part, and print its texts."""
        self.fields[name] = _plain(numbers)
        for text in texts:
            print(f"\n{text}", flush=True)


def _plain(numbers: Any) -> Any:
    """Data classes as dicts."""
    if isinstance(numbers, dict):
        return {name: _plain(value) for name, value in numbers.items()}
    return asdict(numbers)


def check(args: argparse.Namespace) -> None:
    """Raise UsageError for arguments that exclude each other, EdgeError for a package that is not installed."""
    if args.run and not args.baselines:
        raise UsageError("--run compares with the baselines; add --baselines")
    if args.baselines and args.side == "train":
        raise UsageError("the baselines are trained on the train side; evaluate with --side valid or --side test")
    if args.room and importlib.util.find_spec("pyroomacoustics") is None:
        raise EdgeError("--room needs pyroomacoustics: pip install pyroomacoustics")
    if args.baselines:
        musicnn_means([])  # fails now if it is not installed, not after minutes of labelling
    check_writable(args.json)


def leak_note(training: Training, side: str) -> str | None:
    """Warning if the model's card says that it was trained on clips of this side; random splits mix the sides."""
    if side not in TRAINED.get(training.split, lists.SIDES):
        return None
    some = "some of these" if training.split in ("tracks", "segments") else "these"
    return (
        f'TRAINED ON {some.upper()} CLIPS, according to its card (corpus {training.corpus}, split "{training.split}"): '
        "this is not the accuracy on new music"
    )


def predict(model: Model, clips: Sequence[Clip], sources: dict[str, str]) -> list[Prediction]:
    """Label each clip like edge-label; clips that can't be labelled are reported on standard error.

    Raises
    ------
    EdgeError
        If none of the clips can be labelled.
    """
    predictions: list[Prediction] = []
    with tqdm(clips, desc="labelling", unit="clip", disable=None, leave=False) as progress:
        for clip in progress:
            try:
                predictions.append(Prediction(clip, sources.get(clip.name, ""), label(clip.path, model)))
            except EdgeError as error:
                progress.write(f"skipped: {error}", file=sys.stderr)
    if clips and not predictions:
        raise EdgeError(f"none of {len(clips)} clips could be labelled, see above")
    return predictions


def predict_in_room(model: Model, clean: Predictions, folder: Path) -> Predictions:
    """Label the same clips as recorded in a simulated room; the recordings are left in `folder`."""
    from benchmarks.accuracy.in_room import record

    def in_room(predictions: Sequence[Prediction], name: str) -> list[Prediction]:
        sources = {p.clip.name: p.source for p in predictions}
        return predict(model, record([p.clip for p in predictions], folder / name), sources)

    return Predictions(in_room(clean.music, "music"), in_room(clean.other, "other"))


def changes(clean: Predictions, room: Predictions) -> dict[str, Paired]:
    """Changes by the room: in accuracy, and in the share of clips without a genre."""
    found = {
        "accuracy": change(clean.music, room.music, lambda p: p.correct),
        "music, no genre": change(clean.music, room.music, lambda p: p.without_genre),
    }
    if clean.other:
        found["no music, no genre"] = change(clean.other, room.other, lambda p: p.without_genre)
    return found


def change(clean: Sequence[Prediction], room: Sequence[Prediction], hit: Callable[[Prediction], bool]) -> Paired:
    """Change of one share by the room, on the clips that were labelled in both."""
    before, after = ({p.clip.name: hit(p) for p in predictions} for predictions in (clean, room))
    both = [name for name in before if name in after]
    return paired([before[name] for name in both], [after[name] for name in both])


if __name__ == "__main__":
    silence_native_stderr()
    sys.exit(run_command(main, extra="bench"))
