"""`python -m train.evaluate`: what a finished run is worth, measured again; metrics.json and pictures are renewed."""

import argparse
import sys
from pathlib import Path

from edge.card import from_json
from edge.command import run
from edge.errors import EdgeError
from train.backend import keras
from train.corpus.cache import default_folder
from train.corpus.prepare import prepare
from train.evaluation.predictions import load_answers, merged
from train.fit import fitting
from train.network.loop import read_history
from train.recipes import RECIPES
from train.run.folder import ANSWERS, CARD, HISTORY, METRICS, NETWORK, TRAINED, fold_folder, read_arguments
from train.run.write import answer, report


def main(argv: list[str] | None = None) -> int:
    """Measure a finished run again."""
    parser = argparse.ArgumentParser(prog="python -m train.evaluate", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a finished run")
    parser.add_argument("--data", type=Path, required=True, help="the corpus it was trained on")
    words = parser.parse_args(argv)
    folder: Path = words.run
    arguments = read_arguments(folder)
    if not (folder / METRICS).exists():
        raise EdgeError(f"{folder} is not finished; go on with: {arguments.command}")
    recipe = fitting(RECIPES[arguments.recipe], arguments.split)
    other = Path(arguments.other) if arguments.other else None
    dataset = prepare(words.data, other, recipe, arguments.split, arguments.seed, default_folder())
    if dataset.fingerprint != arguments.corpus_sha256:
        raise EdgeError(f"{words.data} is not the corpus that {folder} was trained on, or has changed since")
    card = from_json((folder / CARD).read_text())
    if dataset.folds:  # the networks that were judged are not kept, their answers are
        folds = sorted(set(dataset.folds.values()))
        answers = merged([load_answers(fold_folder(folder, number) / ANSWERS, dataset) for number in folds])
    else:
        network = keras.models.load_model(folder / (TRAINED if recipe.stream else NETWORK))
        answers = answer(network, dataset, dataset.held_back, recipe, card.normalisation)
    history = read_history(folder / HISTORY)
    report(answers, history, dataset, recipe, arguments, card.thresholds, folder)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
