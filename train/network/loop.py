"""The training loop of Keras, with batches and a checkpoint per epoch, so that a run can be killed and resumed."""

import csv
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from train.backend import keras, tf
from train.files import atomic_path, write_errors

CHECKPOINT, HISTORY = "checkpoint.keras", "history.csv"  # files in the run folder

Batch = tuple[Any, ...]  # network inputs, targets and, unless all have the same weight, sample weights
History = list[dict[str, float]]


class Batches(Protocol):
    """Training batches, epoch by epoch."""

    steps: int  # batches in an epoch
    signature: tuple[Any, ...]  # of a batch, for tf.data

    def epoch(self, number: int) -> Iterator[Batch]:
        """Batches of one epoch; they depend on its number alone, so a resumed run gets the same ones."""


class EpochDataset:
    """The batches of `next_epoch` as one `tf.data.Dataset` of fixed type, so that nothing is traced again."""

    def __init__(self, batches: Batches) -> None:
        self.next_epoch = 0
        self._batches = batches
        dataset = tf.data.Dataset.from_generator(self._generate, output_signature=batches.signature)
        self.dataset = dataset.apply(tf.data.experimental.assert_cardinality(batches.steps)).prefetch(4)

    def _generate(self) -> Iterator[Batch]:
        yield from self._batches.epoch(self.next_epoch)


class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Make every epoch reproducible and resumable.

    Before an epoch: set its batches and the random state of each dropout layer, which Keras stores in no file. After
    it: write its row of the history, then the model with its optimizer, each atomically.
    """

    def __init__(self, folder: Path, history: History, epochs: EpochDataset, seed: int) -> None:
        super().__init__()
        self._folder, self._history, self._epochs, self._seed = folder, history, epochs, seed

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set everything that is random in this epoch."""
        self._epochs.next_epoch = epoch
        for index, layer in enumerate(self.model.layers):
            if (generator := getattr(layer, "seed_generator", None)) is not None:
                generator.state.assign(np.random.SeedSequence([self._seed, epoch, index]).generate_state(2))
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save the epoch. The history is first: `resume` cuts off a surplus row, but cannot restore a missing one."""
        seconds = round(time.monotonic() - self._start, 2)
        numbers = {name: round(float(value), 6) for name, value in (logs or {}).items()}
        self._history.append({"epoch": epoch, **numbers, "seconds": seconds})
        with write_errors(self._folder):
            write_history(self._folder / HISTORY, self._history)
            with atomic_path(self._folder / CHECKPOINT) as temporary:
                self.model.save(temporary)
        print(f"epoch {epoch + 1}: " + "  ".join(f"{name} {value:.4g}" for name, value in numbers.items()), flush=True)


def train(
    network: keras.Model,
    epochs: EpochDataset,
    steps: int,
    count: int,
    validation: tuple[Any, ...] | None,
    folder: Path,
    seed: int,
) -> tuple[keras.Model, History]:
    """Train a compiled network, from the last checkpoint in `folder` if there is one.

    Parameters
    ----------
    network
        The compiled network.
    epochs
        Training batches.
    steps
        Batches in an epoch.
    count
        Number of the last epoch, counted from the start of the run.
    validation
        Validation data as `keras.Model.fit` takes it.
    folder
        Run folder; gets a checkpoint and a row of the history after each epoch.
    seed
        Seed of dropout.

    Returns
    -------
    network : keras.Model
        Another object than the argument if the training was resumed.
    history : list of dict
        One row per epoch.
    """
    network, history = resume(network, steps, folder)
    network.fit(
        epochs.dataset,
        initial_epoch=len(history),
        epochs=count,
        validation_data=validation,
        validation_batch_size=128,
        callbacks=[Checkpoint(folder, history, epochs, seed)],
        shuffle=False,  # the batches are in random order already
        verbose=0,
    )
    return network, history


def resume(network: keras.Model, steps: int, folder: Path) -> tuple[keras.Model, History]:
    """The network of the last checkpoint and the history up to it; `network` and no history without a checkpoint."""
    if not (folder / CHECKPOINT).exists():
        return network, []
    network = keras.models.load_model(folder / CHECKPOINT)
    done = int(network.optimizer.iterations) // steps
    print(f"resuming after epoch {done}", flush=True)
    return network, read_history(folder / HISTORY)[:done]


def write_history(path: Path, history: History) -> None:
    """Write the history as CSV, one row per epoch."""
    with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def read_history(path: Path) -> History:
    """Read a file of `write_history`."""
    with path.open(newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [row | {"epoch": int(row["epoch"])} for row in rows]
