"""Reading the model file again on SIGUSR1 while audio waits in its queue.

A deployment replaces the file and then runs `systemctl reload edge-listen`.
"""

import hashlib
import logging
import signal
from pathlib import Path

from edge.errors import EdgeError
from edge.listener import Listener
from edge.model.load import load_model
from edge.model.model import Model
from edge.stats import Stats

log = logging.getLogger("edge")


class HotSwap:
    """A model file whose content may change while a listener uses it."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load the model with `threads` threads; a later SIGUSR1 requests a reload. Raise as `load_model` does."""
        self._path = path
        self._threads = threads
        self._requested = False
        signal.signal(signal.SIGUSR1, self._request)  # first: a signal while the file is read must not be lost
        self.model, self._sha256 = self._load()

    def describe(self, stats: Stats) -> None:
        """Write the model's name and SHA-256 into the counters."""
        stats.model, stats.model_sha256 = self.model.card.name, self._sha256

    def apply(self, listener: Listener, stats: Stats) -> None:
        """Give the listener the new model if a reload was requested; one that can't be loaded changes nothing."""
        if not self._requested:
            return
        self._requested = False
        try:
            model, digest = self._load()
            listener.swap_model(model)
        except (EdgeError, OSError) as error:
            log.warning("the present model stays in use: %s", error)
            return
        self.model, self._sha256 = model, digest
        self.describe(stats)
        log.info("now using the model %s in %s", model.card.name, self._path)

    def _load(self) -> tuple[Model, str]:
        model = load_model(self._path, self._threads)
        with self._path.open("rb") as file:
            return model, hashlib.file_digest(file, "sha256").hexdigest()

    def _request(self, number: int, frame: object) -> None:
        self._requested = True
