"""File descriptor 2 belongs to the whole process: the library never touches it, a command silences it once."""

import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import soundfile
from helpers.support import Run, synthesise


@pytest.fixture
def damaged_mp3(tmp_path: Path) -> Path:
    """A file about which libmpg123 prints to file descriptor 2 by itself."""
    path = tmp_path / "damaged.mp3"
    soundfile.write(path, synthesise(4.0, 44_100, 2), 44_100)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = random.Random(0).randbytes(third)
    path.write_bytes(content)
    return path


def run_script(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, check=False)


LABEL_IN_TWO_THREADS = """
    import os, sys, threading
    import edge

    path, lines = sys.argv[1], int(sys.argv[2])
    before, models = os.fstat(2), [edge.load_model() for _ in range(2)]
    done = threading.Event()

    def label(model, count):
        for _ in range(count):
            try:
                edge.label(path, model)
            except edge.EdgeError:
                pass

    threads = [threading.Thread(target=label, args=(model, count)) for model, count in zip(models, (3, 5))]
    for thread in threads:
        thread.start()
    for number in range(lines):
        os.write(2, b"line %d\\n" % number)
        threads[0].join(0.002)
    for thread in threads:
        thread.join()
    os.write(2, b"after\\n")
    assert os.path.samestat(os.fstat(2), before), "file descriptor 2 is another file"
    assert sys.stderr.fileno() == 2
"""


def test_a_library_call_never_touches_file_descriptor_2(damaged_mp3: Path) -> None:
    """Two calls overlap in two threads while a third writes to the descriptor: every line arrives, before and after."""
    lines = 300
    done = run_script(LABEL_IN_TWO_THREADS, damaged_mp3, str(lines))
    assert done.returncode == 0, done.stderr
    expected = [*(f"line {number}" for number in range(lines)), "after"]
    text = done.stderr.splitlines()
    assert [line for line in text if line in set(expected)] == expected
    assert set(text) - set(expected), "libmpg123 is silent about this file: it proves nothing"


@pytest.mark.parametrize("module", ["edge.cli.listen", "edge.cli.label"])
def test_a_command_prints_nothing_of_native_libraries(run: Run, damaged_mp3: Path, module: str) -> None:
    done = run(module, damaged_mp3)
    own = ("error: ", "skipped: ")
    assert all(line.startswith(own) for line in done.stderr.splitlines()), done.stderr
    assert done.returncode == bool(done.stderr)


def test_warnings_and_log_lines_of_python_still_reach_standard_error() -> None:
    script = """
        import logging, os, sys, threading, warnings
        from edge.cli.logs import log_to_stderr
        from edge.native_stderr import silence_native_stderr

        silence_native_stderr()
        log_to_stderr()
        os.write(2, b"a native library\\n")
        warnings.warn("a warning of Python")
        logging.getLogger("edge").warning("a log line")
        print("a print", file=sys.stderr)
        threading.Thread(target=lambda: 1 / 0).start()
    """
    done = run_script(script)
    assert done.returncode == 0
    for text in ("UserWarning: a warning of Python", "warning: a log line", "a print", "ZeroDivisionError"):
        assert text in done.stderr
    assert "a native library" not in done.stderr


def test_an_uncaught_exception_still_reaches_standard_error() -> None:
    done = run_script(
        "from edge.native_stderr import silence_native_stderr; silence_native_stderr(); raise KeyError(7)"
    )
    assert done.returncode == 1
    assert done.stderr.endswith("KeyError: 7\n")


def test_a_closed_standard_error_stays_closed(melody: Path) -> None:
    command = [sys.executable, "-m", "edge.cli.listen", str(melody)]
    done = subprocess.run(["sh", "-c", '"$0" "$@" 2>&-', *command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "all of it:" in done.stdout
