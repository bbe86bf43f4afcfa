"""One experiment: prepare the corpus, train (for a split in folds once per fold, and once on all), write the run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.model.card import Normalisation
from train.backend import keras
from train.corpus.cache import default_folder
from train.corpus.dataset import Dataset
from train.corpus.prepare import prepare
from train.corpus.splits import FOLDS
from train.distillation.targets import TeacherEmbeddings, teacher_embeddings
from train.evaluation.predictions import SidePredictions, concatenate, load_predictions, predict, save_predictions
from train.files import write_errors
from train.network.loop import CHECKPOINT, History
from train.network.notebook import train_window_network
from train.network.stream import train_stream_network
from train.recipes import Recipe
from train.run.folder import PREDICTIONS, Arguments, fold_folder, open_run, refuse_finished
from train.run.write import write_run


@dataclass(frozen=True)
class Experiment:
    """A request for a run."""

    data: Path
    other: Path | None
    unlabelled: Sequence[Path]
    recipe: Recipe
    split: str
    seed: int
    epochs: int | None  # None: those of the recipe
    out: Path
    command: str  # as it was typed; kept in the run folder


def run_experiment(experiment: Experiment) -> None:
    """Train and write the run folder; an interrupted run is resumed.

    Raises
    ------
    EdgeError
        If the corpus is not usable, the folder holds a finished run or one with other arguments, the teacher is missing
        or the disk is full.
    """
    folder, recipe = experiment.out, recipe_for_split(experiment.recipe, experiment.split)
    refuse_finished(folder)
    cache = default_folder()
    dataset = prepare(experiment.data, experiment.other, recipe, experiment.split, experiment.seed, cache)
    embeddings = None
    if experiment.unlabelled:
        embeddings = teacher_embeddings(dataset, list(experiment.unlabelled), recipe, cache)
    arguments = open_run(
        folder,
        Arguments(
            data=str(experiment.data.resolve()),
            other=str(experiment.other.resolve()) if experiment.other else None,
            unlabelled=[str(path.resolve()) for path in experiment.unlabelled],
            recipe=recipe.name,
            split=experiment.split,
            seed=experiment.seed,
            epochs=experiment.epochs or recipe.epochs,
            corpus_sha256=dataset.fingerprint,
            command=experiment.command,
        ),
    )
    by_fold = [
        predict_fold(dataset, number, recipe, embeddings, arguments, folder)
        for number in sorted(set(dataset.folds.values()))
    ]
    normalisation = normalisation_of(dataset, recipe)
    network, history = train_network(dataset, recipe, normalisation, embeddings, arguments, folder)
    fold_predictions = concatenate(by_fold) if by_fold else None
    write_run(network, history, dataset, recipe, normalisation, arguments, folder, fold_predictions)


def recipe_for_split(recipe: Recipe, split: str) -> Recipe:
    """The recipe with crops that are no longer than a segment, if the split is by segments."""
    if split != "segments" or recipe.stream is None:
        return recipe
    return replace(recipe, stream=replace(recipe.stream, crop_windows=1))


def predict_fold(
    dataset: Dataset,
    number: int,
    recipe: Recipe,
    embeddings: TeacherEmbeddings | None,
    arguments: Arguments,
    folder: Path,
) -> SidePredictions:
    """Train without one fold and predict it. The predictions are kept in the fold's folder and read again.

    Parameters
    ----------
    dataset
        The dataset with all folds.
    number
        The fold that is left out, from 0.
    recipe, embeddings, arguments
        As for `train_network`.
    folder
        Folder of the whole run.
    """
    own = fold_folder(folder, number)
    if not (own / PREDICTIONS).exists():
        print(f"fold {number + 1} of {FOLDS}", flush=True)
        with write_errors(own):
            own.mkdir(exist_ok=True)
        rest = dataset.without_fold(number)
        normalisation = normalisation_of(rest, recipe)
        network, _ = train_network(rest, recipe, normalisation, embeddings, arguments, own)
        with write_errors(own):
            save_predictions(own / PREDICTIONS, predict(network, rest, "valid", recipe, normalisation))
            (own / CHECKPOINT).unlink(missing_ok=True)
    return load_predictions(own / PREDICTIONS, dataset)


def normalisation_of(dataset: Dataset, recipe: Recipe) -> Normalisation:
    """Normalisation by the training side for a stream recipe; the identity for the notebook's, which had none."""
    if recipe.stream is not None:
        return dataset.normalisation(recipe)
    n_mfcc = recipe.front_end.n_mfcc
    return Normalisation((0.0,) * n_mfcc, (1.0,) * n_mfcc)


def train_network(
    dataset: Dataset,
    recipe: Recipe,
    normalisation: Normalisation,
    embeddings: TeacherEmbeddings | None,
    arguments: Arguments,
    folder: Path,
) -> tuple[keras.Model, History]:
    """Build and train the network of a recipe.

    Parameters
    ----------
    dataset, recipe, normalisation
        What the network is trained on, and how.
    embeddings
        Embeddings by the teacher; None trains without it.
    arguments
        Arguments of the run; they have the number of epochs and the seed.
    folder
        Folder of the checkpoint and the history.

    Returns
    -------
    network : keras.Model
    history : list of dict
        One row per epoch.
    """
    keras.utils.set_random_seed(arguments.seed)
    epochs, seed = arguments.epochs, arguments.seed
    if recipe.stream is None:
        return train_window_network(dataset, recipe, normalisation, epochs, seed, folder)
    return train_stream_network(dataset, recipe, recipe.stream, normalisation, embeddings, epochs, seed, folder)
