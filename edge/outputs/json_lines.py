"""Standard output as JSON lines."""

import json
from typing import TextIO

from edge.answer import Answer


class JsonLines:
    """Writes one JSON object per line and flushes it, so that the reader of a pipe gets it at once."""

    def __init__(self, out: TextIO, top_k: int) -> None:
        self._out = out
        self._top_k = top_k

    def show(self, answer: Answer) -> None:
        """Write one line."""
        self._write(answer.to_dict(self._top_k))

    def end(self) -> None:
        """Do nothing: every line is complete."""

    def summary(self, answer: Answer) -> None:
        """Write the answer for everything, marked by `"final": true`."""
        self._write({**answer.to_dict(self._top_k), "final": True})

    def _write(self, fields: dict[str, object]) -> None:
        self._out.write(json.dumps(fields, ensure_ascii=False) + "\n")
        self._out.flush()
