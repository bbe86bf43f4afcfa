"""The encoding of standard output, so that no character ends a command with a traceback."""

import codecs
import io
import sys


def accept_any_text() -> None:
    """Print "?" for characters that the encoding of standard output lacks.

    In UTF-8 only file names that are not valid UTF-8 can't be encoded; their bytes are printed as they are.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
        sys.stdout.reconfigure(errors="surrogateescape" if is_utf8 else "replace")


def use_utf8() -> None:
    """Print JSON in UTF-8, whatever the locale (RFC 8259)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
