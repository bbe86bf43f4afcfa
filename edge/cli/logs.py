"""Log lines on standard error: with priorities for systemd's journal, in words elsewhere."""

import logging
import os
import sys

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}  # man 3 sd-daemon
CLEAR_LINE = "\r\x1b[K"  # a terminal may show a line that changes in place


class JournalFormatter(logging.Formatter):
    """Lines such as `<4>text`, whose priority journald reads."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for the journal."""
        return f"<{PRIORITIES.get(record.levelno, 5)}>{record.getMessage()}"


class PlainFormatter(logging.Formatter):
    """Lines such as `warning: text`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for a terminal or a file."""
        start = CLEAR_LINE if sys.stderr.isatty() else ""
        return f"{start}{record.levelname.lower()}: {record.getMessage()}"


def log_to_stderr() -> None:
    """Send the log of this package to standard error; JOURNAL_STREAM, which systemd sets, selects the format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter() if "JOURNAL_STREAM" in os.environ else PlainFormatter())
    log = logging.getLogger("edge")
    log.handlers = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
