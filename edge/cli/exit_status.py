"""The end of every command: an exit status and at most one sentence, never a traceback."""

import os
import signal
import sys
from collections.abc import Callable

from edge.cli.encoding import accept_any_text
from edge.errors import EdgeError, UsageError


def run(main: Callable[[], int], extra: str = "") -> int:
    """Run a command.

    Parameters
    ----------
    main
        The command; returns its exit status.
    extra
        Extra of this package that installs what the command imports, if it needs one.

    Returns
    -------
    The status of `main`; 2 for a UsageError; 1 for another EdgeError, an OSError, a missing module or a closed standard
    output. Ctrl-C and a closed pipe are normal ways to end a command: 0, unless `main` has returned another status.
    """
    # BLAS would start a thread per core for one small product per hop, which doubles the CPU time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if sys.stdout is None:
        print("error: standard output is closed", file=sys.stderr)
        return 1
    accept_any_text()
    status = 0
    try:
        status = main()
        sys.stdout.flush()
        return status
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        _discard_stdout()
        return status
    except KeyboardInterrupt:
        return 0
    except EdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if not extra or not error.name or error.name.startswith("edge"):  # a damaged installation
            raise
        print(f"error: {error.name} is not installed: pip install -e '.[{extra}]'", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
        _discard_stdout()
        return 1


def exit_on_sigterm() -> None:
    """Make SIGTERM end the command as Ctrl-C does, from now on.

    Call it when everything is loaded: an exception from a signal handler can crash native code that is being imported,
    and until then the command holds nothing that must be released.
    """
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one must not interrupt the cleaning up
    raise KeyboardInterrupt


def _discard_stdout() -> None:
    """Flush standard output or, if that fails, redirect it to /dev/null: Python would try again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
