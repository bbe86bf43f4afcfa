"""How it goes, as JSON in a file that is written anew each second, for who asks: `edge-deploy --status` does."""

import contextlib
import dataclasses
import json
import os
import time
from pathlib import Path

from edge.answer import Answer
from edge.stats import Stats
from edge.version import version

STATUS_NAME = "status.json"
LEAST_SECONDS = 1.0  # between two writes
LABELS = 3


class StatusOutput:
    """A file in a folder that systemd made in memory for this run of the service, and takes away after it."""

    def __init__(self, folder: Path) -> None:
        """`folder` is what RUNTIME_DIRECTORY names."""
        self._path = folder / STATUS_NAME
        self._new = folder / f".{STATUS_NAME}.new"
        self._next = 0.0

    def start(self) -> None:
        """Nothing to write before there is an answer."""

    def show(self, answer: Answer, stats: Stats) -> None:
        """The answer and the stats of the moment, in one piece: whoever reads sees the old file or the new one."""
        if (now := time.monotonic()) < self._next:
            return
        self._next = now + LEAST_SECONDS
        told = {"version": version(), **answer.to_dict(LABELS), **dataclasses.asdict(stats)}
        with contextlib.suppress(OSError):  # memory is full; the next one may fit
            self._new.write_text(json.dumps(told) + "\n", encoding="utf-8")
            self._new.replace(self._path)

    def close(self) -> None:
        """Nobody listens any more: no file says so."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def status_output() -> StatusOutput | None:
    """The output, where systemd gives it a folder."""
    folder = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return StatusOutput(Path(folder)) if folder else None
