"""Lines of the log on standard error: with a journal's priorities where a journal reads them, in words elsewhere."""

import logging
import os
import sys

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}  # man 3 sd-daemon
CLEAR_LINE = "\r\x1b[K"  # a terminal may show a line that changes in place


class JournalFormatter(logging.Formatter):
    """`<4>words`, which journald takes apart."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of the journal."""
        return f"<{PRIORITIES.get(record.levelno, 5)}>{record.getMessage()}"


class PlainFormatter(logging.Formatter):
    """`warning: words`, on a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of a terminal or a file."""
        start = CLEAR_LINE if sys.stderr.isatty() else ""
        return f"{start}{record.levelname.lower()}: {record.getMessage()}"


def log_to_stderr() -> None:
    """Send the log of this package there. Whether a journal listens says JOURNAL_STREAM, which systemd sets."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter() if "JOURNAL_STREAM" in os.environ else PlainFormatter())
    log = logging.getLogger("edge")
    log.handlers = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
