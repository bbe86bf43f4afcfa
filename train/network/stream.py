"""Training of the stream network: crops in random surroundings, a teacher if there is one, averaged weights."""

from pathlib import Path
from typing import Any

import numpy as np

from edge.model.card import Normalisation
from train.backend import keras
from train.corpus.dataset import Dataset
from train.distillation.musicnn import EMBEDDING
from train.distillation.targets import TeacherEmbeddings, make_targets, target_key
from train.network.batches import CropBatches, for_branches
from train.network.inputs import example_tensors, one_hot
from train.network.layers import snap_to_int8, training_network, without_teacher
from train.network.loop import EpochDataset, History, train
from train.recipes import Recipe, Stream


def train_stream_network(
    dataset: Dataset,
    recipe: Recipe,
    stream: Stream,
    normalisation: Normalisation,
    embeddings: TeacherEmbeddings | None,
    epochs: int,
    seed: int,
    folder: Path,
) -> tuple[keras.Model, History]:
    """Train the network of `train.network.layers`, from the last checkpoint in `folder` if there is one.

    Parameters
    ----------
    dataset
        A dataset of whole clips, or of segments without a teacher.
    recipe, stream
        Settings of the front end, the network and the training.
    normalisation
        Applied to the MFCCs.
    embeddings
        Embeddings by the teacher; None trains without it.
    epochs
        Number of the last epoch, counted from the start of the run.
    seed
        Seed of everything that is random.
    folder
        Run folder; gets a checkpoint and a row of the history after each epoch.

    Returns
    -------
    network : keras.Model
        The training network with one output, its weights rounded to TFLite's int8 grid.
    history : list of dict
        One row per epoch.
    """
    labels, n_mfcc = len(dataset.labels), recipe.front_end.n_mfcc
    network = training_network(stream, n_mfcc, labels, EMBEDDING if embeddings else 0)
    targets, unlabelled = make_targets(dataset, embeddings) if embeddings else (None, [])
    examples = [*dataset.sides["train"], *dataset.variants, *dataset.vocoded.get("train", [])]
    if targets is not None:
        examples = [example for example in examples if target_key(example) in targets]
    steps = max(1, round(len({e.clip.name for e in examples}) * stream.crops_per_clip / recipe.batch))
    batches = CropBatches(examples, labels, normalisation, recipe, stream, seed, steps, targets, unlabelled)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps * epochs)
    network.compile(
        # At the end of the training Keras replaces the weights by their average.
        keras.optimizers.AdamW(rate, weight_decay=stream.weight_decay, use_ema=True, ema_momentum=stream.averaging),
        loss={"probabilities": "categorical_crossentropy"} | ({"teacher": "mse"} if embeddings else {}),
        loss_weights={"probabilities": 1.0} | ({"teacher": stream.teacher_weight} if embeddings else {}),
        metrics={"probabilities": "accuracy"},
    )
    validation = None
    if "valid" in dataset.sides:
        validation = validation_data(dataset, recipe, stream, normalisation, embeddings is not None)
    network, history = train(network, EpochDataset(batches), steps, epochs, validation, folder, seed)
    network = without_teacher(network)
    snap_to_int8(network)
    return network, history


def validation_data(
    dataset: Dataset, recipe: Recipe, stream: Stream, normalisation: Normalisation, with_teacher: bool
) -> tuple[Any, ...]:
    """The validation side as `keras.Model.fit` takes it: inputs, targets and weights by output.

    The teacher's output has the weight 0 there.
    """
    tensors = example_tensors(dataset.sides["valid"], recipe, normalisation, None, 0)
    inputs = tensors["inputs"]
    windows = inputs.shape[1] // stream.window_frames
    frames = windows * stream.window_frames
    blocks = inputs[:, :frames].reshape(len(inputs), -1, stream.block_frames, recipe.front_end.n_mfcc)
    labels = np.repeat(one_hot(tensors["labels"], len(dataset.labels))[:, None], blocks.shape[1], axis=1)
    targets = {"probabilities": for_branches(labels, stream)}
    if with_teacher:
        targets["teacher"] = for_branches(np.zeros((len(blocks), windows, EMBEDDING), np.float32), stream)
    trust = {"probabilities": 1.0, "teacher": 0.0}
    weights = {name: np.full(target.shape[:-1], trust[name], np.float32) for name, target in targets.items()}
    return blocks, targets, weights
