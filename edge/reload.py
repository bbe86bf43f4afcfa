"""The model file, and SIGUSR1, which asks for it to be read again while the audio waits in its queue.

A deployment puts another file in its place and says so by `systemctl reload edge-listen`.
"""

import hashlib
import logging
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from edge.ear import Ear
from edge.errors import EdgeError
from edge.health import Health
from edge.model import Model, load

log = logging.getLogger("edge")
Event = TypeVar("Event")


class ReloadedModel:
    """A model file whose content may change."""

    def __init__(self, path: Path, threads: int) -> None:
        """Open it with so many threads of its runtime. Raise CardError or EdgeError as `edge.model.load` does."""
        self._path = path
        self._threads = threads
        self._asked = False
        self.model, self._sha256 = self._open()

    def between(self, events: Iterable[Event], ear: Ear, health: Health) -> Iterator[Event]:
        """The events of a source; whenever SIGUSR1 has asked for it, the ear goes on with what the file is by then.

        What can't be opened changes nothing. `health` says which model hears.
        """
        signal.signal(signal.SIGUSR1, self._ask)
        self._describe(health)
        for event in events:
            if self._asked:
                self._asked = False
                self._change(ear)
                self._describe(health)
            yield event

    def _open(self) -> tuple[Model, str]:
        model = load(self._path, self._threads)
        with self._path.open("rb") as file:
            return model, hashlib.file_digest(file, "sha256").hexdigest()

    def _change(self, ear: Ear) -> None:
        try:
            model, digest = self._open()
            ear.change(model)
        except (EdgeError, OSError) as error:
            log.warning("goes on with the model that it has: %s", error)
            return
        self.model, self._sha256 = model, digest
        log.info("hears with the model %s in %s from now on", model.card.name, self._path)

    def _describe(self, health: Health) -> None:
        health.model, health.model_sha256 = self.model.card.name, self._sha256

    def _ask(self, number: int, frame: object) -> None:
        self._asked = True
