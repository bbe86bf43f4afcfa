from subprocess import CompletedProcess

import pytest

from edge.subprocess_error import failure_reason


@pytest.mark.parametrize(
    ("status", "stdout", "stderr", "reason"),
    [
        (1, "", "warning: old\nerror: x.tflite: not found\n", "x.tflite: not found"),
        (2, "printed instead\n", " \n", "printed instead"),
        (3, "", "", "pip failed with exit status 3 and without a message"),
        (-11, "", "noise", "pip crashed with signal 11"),
        (1, None, "only this", "only this"),  # standard output was not captured
    ],
)
def test_the_reason_is_the_last_line_or_else_the_exit_status(
    status: int, stdout: str | None, stderr: str, reason: str
) -> None:
    assert failure_reason(CompletedProcess(["pip"], status, stdout, stderr), "pip") == reason
