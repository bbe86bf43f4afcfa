"""The network of the original notebook (recipe `seed`): two LSTMs on a window of MFCCs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge.arrays import FloatArray
from edge.model.card import Normalisation
from train.backend import keras, tf
from train.corpus.dataset import Dataset
from train.network.inputs import example_tensors, one_hot
from train.network.loop import Batch, EpochDataset, History, train
from train.recipes import Recipe


def window_network(recipe: Recipe, labels: int) -> keras.Model:
    """Build the notebook's network: features (frames, n_mfcc) → probabilities (labels,)."""
    shape = (recipe.segment_frames, recipe.front_end.n_mfcc)
    features = keras.Input(shape, name="features")
    x = keras.layers.LSTM(64, return_sequences=True, name="lstm_1")(features)
    x = keras.layers.LSTM(64, name="lstm_2")(x)
    x = keras.layers.Dense(64, activation="relu", name="dense")(x)
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    probabilities = keras.layers.Dense(labels, activation="softmax", name="probabilities")(x)
    return keras.Model(features, probabilities, name="window")


class WindowBatches:
    """Every segment once per epoch, in random order.

    Parameters
    ----------
    inputs, targets
        (n, frames, n_mfcc) and (n, labels).
    batch
        Segments in a batch.
    seed
        With the number of an epoch it decides the order.
    """

    def __init__(self, inputs: FloatArray, targets: FloatArray, batch: int, seed: int) -> None:
        self._inputs, self._targets = inputs, targets
        self._batch, self._seed = batch, seed
        self.steps = -(-len(inputs) // batch)
        self.signature = tuple(tf.TensorSpec((None, *array.shape[1:])) for array in (inputs, targets))

    def epoch(self, number: int) -> Iterator[Batch]:
        """Batches of (n, frames, n_mfcc) and (n, labels)."""
        order = np.random.default_rng([self._seed, number]).permutation(len(self._inputs))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            yield self._inputs[chosen], self._targets[chosen]


def train_window_network(
    dataset: Dataset, recipe: Recipe, normalisation: Normalisation, epochs: int, seed: int, folder: Path
) -> tuple[keras.Model, History]:
    """Train the notebook's network with Adam, from the last checkpoint in `folder` if there is one."""
    labels = len(dataset.labels)
    sides = [example_tensors(dataset.sides[side], recipe, normalisation, None, seed) for side in ("train", "valid")]
    (inputs, targets), validation = [(side["inputs"], one_hot(side["labels"], labels)) for side in sides]
    batches = WindowBatches(inputs, targets, recipe.batch, seed)
    network = window_network(recipe, labels)
    network.compile(keras.optimizers.Adam(recipe.learning_rate), loss="categorical_crossentropy", metrics=["accuracy"])
    return train(network, EpochDataset(batches), batches.steps, epochs, validation, folder, seed)
