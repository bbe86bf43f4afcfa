"""`python -m train.fit`: from a corpus to a finished run folder; the same command again goes on where it stopped."""

import argparse
import shlex
import sys
from pathlib import Path

from edge.card import Normalisation
from edge.command import run
from edge.errors import UsageError
from train import networks, splits
from train.backend import keras
from train.batches import Batches, CropBatches, EpochDataset, WindowBatches, one_hot
from train.dataset import Dataset
from train.features import default_cache
from train.finish import finish
from train.prepare import prepare
from train.recipes import RECIPES, Recipe
from train.results import example_tensors
from train.run import Arguments, open_run, refuse_finished
from train.training import History, train


def main(argv: list[str] | None = None) -> int:
    """Train as the words of the command line say."""
    words = _parser().parse_args(argv)
    recipe, folder = RECIPES[words.recipe], words.out
    if words.epochs is not None and words.epochs < 1:
        raise UsageError(f"--epochs is {words.epochs}; a run has at least 1")
    refuse_finished(folder)
    dataset = prepare(words.data, words.other, recipe, words.split, words.seed, default_cache())
    arguments = open_run(
        folder,
        Arguments(
            data=str(words.data.resolve()),
            other=str(words.other.resolve()) if words.other else None,
            recipe=recipe.name,
            split=words.split,
            seed=words.seed,
            epochs=words.epochs or recipe.epochs,
            corpus_sha256=dataset.fingerprint,
            command=shlex.join(["python", "-m", "train.fit", *(sys.argv[1:] if argv is None else argv)]),
        ),
    )
    normalisation = normalisation_of(dataset, recipe)
    network, history = fit(dataset, recipe, normalisation, arguments, folder)
    finish(network, history, dataset, recipe, normalisation, arguments, folder)
    return 0


def normalisation_of(dataset: Dataset, recipe: Recipe) -> Normalisation:
    """The training side's, for a stream; none for the notebook's network, which had none."""
    if recipe.stream is not None:
        return dataset.normalisation()
    n_mfcc = recipe.front_end.n_mfcc
    return Normalisation((0.0,) * n_mfcc, (1.0,) * n_mfcc)


def fit(
    dataset: Dataset, recipe: Recipe, normalisation: Normalisation, arguments: Arguments, folder: Path
) -> tuple[keras.Model, History]:
    """Build, compile and train the recipe's network."""
    keras.utils.set_random_seed(arguments.seed)
    labels, n_mfcc = len(dataset.labels), recipe.front_end.n_mfcc
    held = example_tensors(dataset.sides["valid"], recipe, normalisation, None, arguments.seed)
    inputs, targets = held["inputs"], one_hot(held["labels"], labels)
    batches: Batches
    if recipe.stream is None:
        network = networks.window_network(recipe, labels)
        side = example_tensors(dataset.sides["train"], recipe, normalisation, None, arguments.seed)
        batches = WindowBatches(side["inputs"], one_hot(side["labels"], labels), recipe.batch, arguments.seed)
        optimizer = keras.optimizers.Adam(recipe.learning_rate)
    else:
        network = networks.training_network(recipe.stream, n_mfcc, labels)
        inputs = inputs.reshape(len(inputs), -1, recipe.stream.block_frames, n_mfcc)
        parts = dataset.sides["train"] + dataset.vocoded.get("train", [])
        batches = CropBatches(parts, labels, normalisation, recipe, recipe.stream, arguments.seed)
        rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, batches.steps * arguments.epochs)
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.stream.weight_decay)
    network.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    epochs = EpochDataset(batches, network.input_shape[1:], labels)
    network, history = train(
        network, epochs, batches.steps, arguments.epochs, (inputs, targets), folder, arguments.seed
    )
    if recipe.stream is not None:  # the notebook's network stays as it was trained
        networks.snap_to_int8(network)
    return network, history


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.fit", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="corpus: a folder with one sub-folder per class")
    parser.add_argument("--recipe", choices=RECIPES, required=True)
    parser.add_argument("--split", choices=splits.KINDS, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the run folder")
    parser.add_argument("--other", type=Path, help="a folder of audio that is not music: one more class")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    return parser


if __name__ == "__main__":
    sys.exit(run(main))
