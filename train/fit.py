"""`python -m train.fit`: from a corpus to a finished run folder; the same command again goes on where it stopped."""

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.card import Normalisation
from edge.command import run
from edge.errors import UsageError
from train.backend import keras
from train.corpus import splits
from train.corpus.cache import default_folder
from train.corpus.dataset import Dataset
from train.corpus.prepare import prepare
from train.distillation.musicnn import FEATURES
from train.distillation.targets import Heard, hear, key_of, teach
from train.evaluation.predictions import Answers, load_answers, merged, save_answers
from train.evaluation.report import example_tensors
from train.network import layers as networks
from train.network.batches import Batches, CropBatches, EpochDataset, WindowBatches, of_branches, one_hot
from train.network.loop import History, train
from train.recipes import RECIPES, Recipe, Stream
from train.run.folder import ANSWERS, CHECKPOINT, Arguments, fold_folder, open_run, refuse_finished, writing
from train.run.write import answer, finish


def main(argv: list[str] | None = None) -> int:
    """Train as the words of the command line say."""
    words = _parser().parse_args(argv)
    recipe, folder = fitting(RECIPES[words.recipe], words.split), words.out
    if words.epochs is not None and words.epochs < 1:
        raise UsageError(f"--epochs is {words.epochs}; a run has at least 1")
    if words.unlabelled and recipe.stream is None:
        raise UsageError(f"--unlabelled: the recipe {recipe.name} has no teacher")
    if words.split == "folds" and recipe.stream is None:
        raise UsageError(f"--split folds: the recipe {recipe.name} is judged by segments, tracks or lists")
    if words.unlabelled and words.split == "segments":
        raise UsageError("--unlabelled: the teacher's lessons are about whole clips, not about segments")
    refuse_finished(folder)
    dataset = prepare(words.data, words.other, recipe, words.split, words.seed, default_folder())
    heard = hear(dataset, words.unlabelled, recipe, default_folder()) if words.unlabelled else None
    arguments = open_run(
        folder,
        Arguments(
            data=str(words.data.resolve()),
            other=str(words.other.resolve()) if words.other else None,
            unlabelled=[str(path.resolve()) for path in words.unlabelled],
            recipe=recipe.name,
            split=words.split,
            seed=words.seed,
            epochs=words.epochs or recipe.epochs,
            corpus_sha256=dataset.fingerprint,
            command=shlex.join(["python", "-m", "train.fit", *(sys.argv[1:] if argv is None else argv)]),
        ),
    )
    judged = [
        answer_fold(dataset, number, recipe, heard, arguments, folder) for number in sorted(set(dataset.folds.values()))
    ]
    normalisation = normalisation_of(dataset, recipe)
    network, history = fit(dataset, recipe, normalisation, heard, arguments, folder)
    finish(network, history, dataset, recipe, normalisation, arguments, folder, merged(judged) if judged else None)
    return 0


def fitting(recipe: Recipe, split: str) -> Recipe:
    """The recipe for a split: where segments are all there is to learn from, crops are no longer than they are."""
    if split != "segments" or recipe.stream is None:
        return recipe
    return replace(recipe, stream=replace(recipe.stream, crop_windows=1))


def answer_fold(
    dataset: Dataset, number: int, recipe: Recipe, heard: Heard | None, arguments: Arguments, folder: Path
) -> Answers:
    """What a network that never heard a fold says about it; kept in a folder of its own, and read from there again."""
    own = fold_folder(folder, number)
    if not (own / ANSWERS).exists():
        print(f"fold {number + 1} of {splits.FOLDS}", flush=True)
        with writing(own):
            own.mkdir(exist_ok=True)
        part = dataset.without_fold(number)
        normalisation = normalisation_of(part, recipe)
        network, _ = fit(part, recipe, normalisation, heard, arguments, own)
        with writing(own):
            save_answers(own / ANSWERS, answer(network, part, "valid", recipe, normalisation))
            (own / CHECKPOINT).unlink(missing_ok=True)
    return load_answers(own / ANSWERS, dataset)


def normalisation_of(dataset: Dataset, recipe: Recipe) -> Normalisation:
    """The training side's, for a stream; none for the notebook's network, which had none."""
    if recipe.stream is not None:
        return dataset.normalisation(recipe)
    n_mfcc = recipe.front_end.n_mfcc
    return Normalisation((0.0,) * n_mfcc, (1.0,) * n_mfcc)


def fit(
    dataset: Dataset,
    recipe: Recipe,
    normalisation: Normalisation,
    heard: Heard | None,
    arguments: Arguments,
    folder: Path,
) -> tuple[keras.Model, History]:
    """Build, compile and train the recipe's network."""
    keras.utils.set_random_seed(arguments.seed)
    if recipe.stream is not None:
        return fit_stream(dataset, recipe, recipe.stream, normalisation, heard, arguments, folder)
    labels = len(dataset.labels)
    sides = [example_tensors(dataset.sides[s], recipe, normalisation, None, arguments.seed) for s in ("train", "valid")]
    (inputs, targets), validation = [(side["inputs"], one_hot(side["labels"], labels)) for side in sides]
    batches = WindowBatches(inputs, targets, recipe.batch, arguments.seed)
    network = networks.window_network(recipe, labels)
    network.compile(keras.optimizers.Adam(recipe.learning_rate), loss="categorical_crossentropy", metrics=["accuracy"])
    return train(network, EpochDataset(batches), batches.steps, arguments.epochs, validation, folder, arguments.seed)


def fit_stream(
    dataset: Dataset,
    recipe: Recipe,
    stream: Stream,
    normalisation: Normalisation,
    heard: Heard | None,
    arguments: Arguments,
    folder: Path,
) -> tuple[keras.Model, History]:
    """The same for a stream: crops in random surroundings, a teacher if there is one, and averaged weights."""
    labels, n_mfcc = len(dataset.labels), recipe.front_end.n_mfcc
    network = networks.training_network(stream, n_mfcc, labels, FEATURES if heard else 0)
    lessons, unlabelled = teach(dataset, heard) if heard else (None, [])
    parts = [*dataset.sides["train"], *dataset.copies, *dataset.vocoded.get("train", [])]
    if lessons is not None:
        parts = [part for part in parts if key_of(part) in lessons]
    steps = max(1, round(len({part.clip.name for part in parts}) * stream.crops_per_clip / recipe.batch))
    batches: Batches = CropBatches(
        parts, labels, normalisation, recipe, stream, arguments.seed, steps, lessons, unlabelled
    )
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps * arguments.epochs)
    network.compile(
        # Keras itself puts the average in place of the weights when the training ends.
        keras.optimizers.AdamW(rate, weight_decay=stream.weight_decay, use_ema=True, ema_momentum=stream.averaging),
        loss={"probabilities": "categorical_crossentropy"} | ({"teacher": "mse"} if heard else {}),
        loss_weights={"probabilities": 1.0} | ({"teacher": stream.teacher_weight} if heard else {}),
        metrics={"probabilities": "accuracy"},
    )
    validation = (
        held_out(dataset, recipe, stream, normalisation, heard is not None) if "valid" in dataset.sides else None
    )
    network, history = train(
        network, EpochDataset(batches), steps, arguments.epochs, validation, folder, arguments.seed
    )
    network = networks.without_teacher(network)
    networks.snap_to_int8(network)
    return network, history


def held_out(
    dataset: Dataset, recipe: Recipe, stream: Stream, normalisation: Normalisation, taught: bool
) -> tuple[Any, ...]:
    """The validation side as `fit` takes it: inputs, targets and weights by output; the teacher has no say there."""
    held = example_tensors(dataset.sides["valid"], recipe, normalisation, None, 0)
    windows = held["inputs"].shape[1] // stream.window_frames
    frames = windows * stream.window_frames
    blocks = held["inputs"][:, :frames].reshape(len(held["inputs"]), -1, stream.block_frames, recipe.front_end.n_mfcc)
    answers = np.repeat(one_hot(held["labels"], len(dataset.labels))[:, None], blocks.shape[1], axis=1)
    targets = {"probabilities": of_branches(answers, stream)}
    if taught:
        targets["teacher"] = of_branches(np.zeros((len(blocks), windows, FEATURES), np.float32), stream)
    trust = {"probabilities": 1.0, "teacher": 0.0}
    weights = {name: np.full(target.shape[:-1], trust[name], np.float32) for name, target in targets.items()}
    return blocks, targets, weights


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.fit", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="corpus: a folder with one sub-folder per class")
    parser.add_argument("--recipe", choices=RECIPES, required=True)
    parser.add_argument("--split", choices=splits.KINDS, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the run folder")
    parser.add_argument("--other", type=Path, help="a folder of audio that is not music: one more class")
    parser.add_argument(
        "--unlabelled",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of music without labels, about which a teacher (MusiCNN) gives lessons; may be repeated",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    return parser


if __name__ == "__main__":
    sys.exit(run(main))
