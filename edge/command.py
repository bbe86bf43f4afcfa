"""How every command of the project ends: one sentence, an exit status, and no traceback."""

import os
import signal
import sys
from collections.abc import Callable

from edge.errors import EdgeError, UsageError


def run(main: Callable[[], int]) -> int:
    """Exit status of `main`: its own, 2 for a UsageError, 1 for what else went wrong outside this program.

    Ctrl-C and a closed pipe are ways to end a command, not errors: status 0 and no word.
    """
    try:
        status = main()
        sys.stdout.flush()
        return status
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        _end_stdout()
        return 0
    except KeyboardInterrupt:
        return 0
    except EdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: this needs {error.name}, which isn't installed: pip install '.[bench]'", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
        _end_stdout()
        return 1


def _end_stdout() -> None:
    """Write what waits; where that fails let it go nowhere, for Python would try once more at exit, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def heed_sigterm() -> None:
    """From now on SIGTERM ends a command as Ctrl-C does.

    Call it when everything is loaded: an exception out of a signal can crash native code that is being imported, and
    until then there is nothing to tidy up.
    """
    signal.signal(signal.SIGTERM, _end)


def _end(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)  # what tidies up shall not be interrupted by a second one
    raise KeyboardInterrupt
