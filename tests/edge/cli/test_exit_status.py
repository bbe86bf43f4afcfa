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
        (UsageError("--hop 0: too short"), 2, "error: --hop 0: too short\n"),
        (EdgeError("no model"), 1, "error: no model\n"),
        (FileNotFoundError(2, "No such file or directory", "x.wav"), 1, "error: x.wav: No such file or directory\n"),
        (KeyboardInterrupt(), 0, ""),
    ],
)
def test_every_end_has_its_status_and_at_most_a_sentence(
    error: BaseException, status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(failing(error)) == status
    assert capsys.readouterr().err == sentence


def test_a_workstations_command_on_a_device_names_the_package_it_wants(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        import a_package_that_nobody_has  # noqa: F401

        return 0

    assert run(main) == 1
    assert capsys.readouterr().err.startswith("error: this needs a_package_that_nobody_has, which")
