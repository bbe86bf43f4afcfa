"""The command `python -m train.fit`: train on a corpus; the same command again resumes an interrupted run."""

import argparse
import shlex
import sys
from pathlib import Path

from edge.cli.exit_status import run
from edge.cli.parser import make_parser
from edge.errors import UsageError
from edge.native_stderr import silence_native_stderr
from train.corpus.split_kinds import SPLITS
from train.recipes import RECIPES

MAX_SEED = 2**32 - 1  # the largest that numpy's RandomState takes, and with it Keras and scikit-learn
EXAMPLES = (
    ("python -m train.fit --data GTZAN --recipe seed --split segments --out runs/seed", ""),
    ("python -m train.fit --data GTZAN --recipe edge --split lists --other NOISES --out runs/edge", ""),
)


def main(argv: list[str] | None = None) -> int:
    """Train as the command line says; return the exit status."""
    options = _parser().parse_args(argv)
    recipe = RECIPES[options.recipe]
    if options.epochs is not None and options.epochs < 1:
        raise UsageError(f"--epochs is {options.epochs}; the minimum is 1")
    if not 0 <= options.seed <= MAX_SEED:
        raise UsageError(f"--seed is {options.seed}; it must be from 0 to {MAX_SEED}")
    if options.unlabelled and recipe.stream is None:
        raise UsageError(f"--unlabelled: the recipe {recipe.name} has no teacher")
    if options.split == "folds" and recipe.stream is None:
        raise UsageError(f"--split folds: the recipe {recipe.name} takes segments, tracks or lists")
    if options.unlabelled and options.split == "segments":
        raise UsageError("--unlabelled: the teacher needs whole clips, so it cannot be combined with --split segments")
    for folder in options.unlabelled:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder; --unlabelled expects a folder of music")

    from train.experiment import Experiment, run_experiment  # after the parser: they need the extra `train`

    experiment = Experiment(
        data=options.data,
        other=options.other,
        unlabelled=options.unlabelled,
        recipe=recipe,
        split=options.split,
        seed=options.seed,
        epochs=options.epochs,
        out=options.out,
        command=shlex.join(["python", "-m", "train.fit", *(sys.argv[1:] if argv is None else argv)]),
    )
    run_experiment(experiment)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = make_parser(
        "python -m train.fit",
        "Train a network on a corpus and write a run folder. The same command again resumes an interrupted run.",
        EXAMPLES,
        "train/README.md",
    )
    corpus = parser.add_argument_group("corpus")
    corpus.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with one sub-folder per class")
    corpus.add_argument("--other", type=Path, metavar="DIR", help="folder of audio that is not music: one more class")
    corpus.add_argument(
        "--unlabelled",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder of music without labels, for which a teacher (MusiCNN) makes targets; may be repeated",
    )
    training = parser.add_argument_group("training")
    training.add_argument("--recipe", choices=RECIPES, required=True, help="edge ships; seed is the original notebook")
    training.add_argument("--split", choices=SPLITS, required=True, help="choice of the held-back clips")
    training.add_argument("--epochs", type=int, metavar="N", help="in place of the recipe's number")
    training.add_argument("--seed", type=int, default=0, metavar="N", help="of all random numbers (default: 0)")
    output = parser.add_argument_group("output")
    output.add_argument("--out", type=Path, required=True, metavar="DIR", help="the run folder")
    return parser


if __name__ == "__main__":
    silence_native_stderr()
    sys.exit(run(main, extra="train"))
