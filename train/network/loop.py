"""The training loop: Keras' own, with a checkpoint an epoch that survives a kill at any time."""

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np

from train.backend import keras
from train.network.batches import EpochDataset
from train.run.folder import CHECKPOINT, HISTORY, replacing, writing

History = list[dict[str, float]]


class Checkpoint(keras.callbacks.Callback):
    """Makes every epoch one that can be gone on after, to the same weights.

    Before it: its own data and its own dropout, because Keras keeps no layer's random state in a file. After it: its
    row in the history, then the whole model with its optimizer, each replaced at once.
    """

    def __init__(self, folder: Path, history: History, epochs: EpochDataset, seed: int) -> None:
        super().__init__()
        self._folder, self._history, self._epochs, self._seed = folder, history, epochs, seed

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set what is random in this epoch."""
        self._epochs.next_epoch = epoch
        for index, layer in enumerate(self.model.layers):
            if (generator := getattr(layer, "seed_generator", None)) is not None:
                generator.state.assign(np.random.SeedSequence([self._seed, epoch, index]).generate_state(2))
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep the epoch. The history goes first: a row too many is cut off by `resume`, one too few would be lost."""
        seconds = round(time.monotonic() - self._start, 2)
        numbers = {name: round(float(value), 6) for name, value in (logs or {}).items()}
        self._history.append({"epoch": epoch, **numbers, "seconds": seconds})
        with writing(self._folder):
            write_history(self._folder / HISTORY, self._history)
            with replacing(self._folder / CHECKPOINT) as temporary:
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
    """Train a compiled network for `count` epochs, from where the folder's last checkpoint stands."""
    network, history = resume(network, steps, folder)
    network.fit(
        epochs.dataset,
        initial_epoch=len(history),
        epochs=count,
        validation_data=validation,
        validation_batch_size=128,
        callbacks=[Checkpoint(folder, history, epochs, seed)],
        shuffle=False,  # EpochDataset has its own order
        verbose=0,
    )
    return network, history


def resume(network: keras.Model, steps: int, folder: Path) -> tuple[keras.Model, History]:
    """The network as its last checkpoint has it, and the history up to there; the given one where there is none."""
    if not (folder / CHECKPOINT).exists():
        return network, []
    network = keras.models.load_model(folder / CHECKPOINT)
    done = int(network.optimizer.iterations) // steps
    print(f"going on after epoch {done}", flush=True)
    return network, read_history(folder / HISTORY)[:done]


def write_history(path: Path, history: History) -> None:
    """The history as CSV, one row an epoch."""
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def read_history(path: Path) -> History:
    """What `write_history` has written."""
    with path.open(newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [row | {"epoch": int(row["epoch"])} for row in rows]
