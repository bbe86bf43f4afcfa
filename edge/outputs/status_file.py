"""The latest answer and the counters as JSON in a file, for other programs: `edge-deploy --status` reads it."""

import contextlib
import dataclasses
import json
from pathlib import Path

from edge.answer import Answer
from edge.outputs.throttle import Throttle
from edge.stats import Stats
from edge.version import version

STATUS_NAME = "status.json"
TOP_K = 3  # labels in the file


class StatusFileOutput:
    """Rewrites `STATUS_NAME` once a second.

    Parameters
    ----------
    folder
        systemd's runtime directory of the service: in memory, and removed when the service stops.
    """

    name = "status file"

    def __init__(self, folder: Path) -> None:
        self._path = folder / STATUS_NAME
        self._new = folder / f".{STATUS_NAME}.new"
        self._throttle = Throttle()

    def start(self) -> None:
        """Do nothing: there is no answer yet."""

    def show(self, answer: Answer, stats: Stats) -> None:
        """Replace the file in one step, so that a reader finds either the old content or the new."""
        if not self._throttle.allows():
            return
        fields = {"version": version(), **answer.to_dict(TOP_K), **dataclasses.asdict(stats)}
        with contextlib.suppress(OSError):  # the memory file system is full; the next update may fit
            self._new.write_text(json.dumps(fields) + "\n", encoding="utf-8")
            self._new.replace(self._path)

    def close(self) -> None:
        """Delete the file: without it a reader knows that nothing is running."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
