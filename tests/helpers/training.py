"""Runs of `train.fit` in tests: its command line, what it leaves, and an interruption."""

import csv
import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from train.recipes import EDGE, RECIPES


@contextmanager
def small_edge_recipe() -> Iterator[None]:
    """The recipe `edge` with a network that trains in a moment."""
    assert EDGE.stream is not None
    stream = dataclasses.replace(EDGE.stream, filters=8, projection=16, lstm_units=16, crop_windows=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "edge", dataclasses.replace(EDGE, batch=8, stream=stream))
        yield


def fit_arguments(corpus: Path, out: Path, recipe: str, split: str, epochs: int) -> list[str]:
    """Command line of train.fit."""
    options = f"--recipe {recipe} --split {split} --epochs {epochs}".split()
    return [*options, "--data", str(corpus), "--out", str(out)]


def history(run: Path) -> list[dict[str, str]]:
    """Rows of history.csv."""
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


def metrics_of(run: Path) -> dict[str, Any]:
    """Content of metrics.json; NaN and infinity, which are not JSON, are refused."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    content: dict[str, Any] = json.loads((run / "metrics.json").read_text(), parse_constant=refuse)
    return content


class Interrupted(Exception):
    """In place of an event that ends a training early."""


def interrupt_before(epoch: int, patch: pytest.MonkeyPatch) -> None:
    """Raise Interrupted at the beginning of this epoch of every training."""
    from train.network.loop import Checkpoint

    original = Checkpoint.on_epoch_begin

    def on_epoch_begin(self: Checkpoint, number: int, logs: object = None) -> None:
        if number == epoch:
            raise Interrupted
        original(self, number, logs)

    patch.setattr(Checkpoint, "on_epoch_begin", on_epoch_begin)
