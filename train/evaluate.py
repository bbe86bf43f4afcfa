"""The command `python -m train.evaluate`: measure a finished run again and renew its metrics.json and plots."""

import argparse
import sys
from pathlib import Path

from edge.cli.exit_status import run
from edge.cli.parser import make_parser
from edge.errors import EdgeError
from edge.native_stderr import silence_native_stderr
from train.recipes import RECIPES
from train.run.folder import CARD, METRICS, NETWORK, PREDICTIONS, TRAINED, fold_folder, read_arguments

EXAMPLES = (("python -m train.evaluate runs/edge --data GTZAN", ""),)


def main(argv: list[str] | None = None) -> int:
    """Measure a finished run again; return the exit status."""
    options = _parser().parse_args(argv)
    folder: Path = options.run
    arguments = read_arguments(folder)
    if not (folder / METRICS).exists():
        raise EdgeError(f"{folder} is not finished; resume it with: {arguments.command}")

    from edge.model.card import from_json  # after the parser: what follows needs the extra `train`
    from train.backend import keras
    from train.corpus.cache import default_folder
    from train.corpus.prepare import prepare
    from train.evaluation.predictions import concatenate, load_predictions, predict
    from train.experiment import recipe_for_split
    from train.network.loop import HISTORY, read_history
    from train.run.write import write_report

    recipe = recipe_for_split(RECIPES[arguments.recipe], arguments.split)
    other = Path(arguments.other) if arguments.other else None
    dataset = prepare(options.data, other, recipe, arguments.split, arguments.seed, default_folder())
    if dataset.fingerprint != arguments.corpus_sha256:
        raise EdgeError(f"{options.data} is not the corpus that {folder} was trained on, or it has changed")
    card = from_json((folder / CARD).read_text())
    if dataset.folds:  # the predictions of the folds' networks are kept, the networks are not
        folds = sorted(set(dataset.folds.values()))
        predictions = concatenate(
            [load_predictions(fold_folder(folder, number) / PREDICTIONS, dataset) for number in folds]
        )
    else:
        network = keras.models.load_model(folder / (TRAINED if recipe.stream else NETWORK))
        predictions = predict(network, dataset, dataset.held_back, recipe, card.normalisation)
    history = read_history(folder / HISTORY)
    write_report(predictions, history, dataset, recipe, arguments, card.thresholds, folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = make_parser(
        "python -m train.evaluate",
        "Measure a finished run again and renew its metrics.json and plots.",
        EXAMPLES,
        "train/README.md",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the corpus that it was trained on")
    return parser


if __name__ == "__main__":
    silence_native_stderr()
    sys.exit(run(main, extra="train"))
