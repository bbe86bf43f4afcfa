import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from edge.cli.exit_status import run
from edge.errors import EdgeError, UsageError


def failing(error: BaseException) -> Callable[[], int]:
    def main() -> int:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (UsageError("--hop 0: must be above 0"), 2, "error: --hop 0: must be above 0\n"),
        (EdgeError("no model"), 1, "error: no model\n"),
        (FileNotFoundError(2, "No such file or directory", "x.wav"), 1, "error: x.wav: No such file or directory\n"),
        (KeyboardInterrupt(), 0, ""),
    ],
)
def test_each_end_has_a_status_and_at_most_one_sentence(
    error: BaseException, status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(failing(error)) == status
    assert capsys.readouterr().err == sentence


def import_a_missing_package() -> int:
    import a_package_that_nobody_has  # noqa: F401

    return 0


def test_a_missing_package_of_an_extra_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(import_a_missing_package, extra="train") == 1
    assert capsys.readouterr().err == "error: a_package_that_nobody_has is not installed: pip install -e '.[train]'\n"


def test_a_missing_package_of_a_damaged_installation_is_a_traceback() -> None:
    with pytest.raises(ModuleNotFoundError):
        run(import_a_missing_package)


def test_the_status_of_the_command_is_returned() -> None:
    assert [run(lambda status=status: status) for status in (0, 1, 7)] == [0, 1, 7]  # type: ignore[misc]


def test_a_closed_pipe_is_a_normal_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(BrokenPipeError(32, "Broken pipe"))) == 0
    assert capsys.readouterr().err == ""


def test_a_failure_keeps_its_status_although_nobody_reads_the_output() -> None:
    code = "import os, sys; from edge.cli.exit_status import run\nsys.exit(run(lambda: print('x') or 7))"
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}  # otherwise print fails, and not the flush at the end
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, env=environment, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (7, b"")


def test_a_closed_standard_output_is_one_sentence() -> None:
    command = f"'{sys.executable}' -m edge.cli.listen --demo >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "error: standard output is closed\n")
