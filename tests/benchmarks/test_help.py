"""Help and version of the commands of benchmarks."""

from pathlib import Path

import pytest
from helpers.support import Run

ROOT = Path(__file__).parents[2]
COMMANDS = [
    f"benchmarks.{name}"
    for name in ("accuracy", "latency", "stream", "cost.architectures", "cost.arm", "cost.boards", "cost.scaling")
]


@pytest.mark.parametrize("module", COMMANDS)
def test_help_has_an_example_and_names_the_documentation(run: Run, module: str) -> None:
    done = run(module, "--help")
    assert done.stdout.startswith(f"usage: python -m {module} ")
    assert f"python -m {module}" in done.stdout[done.stdout.index("examples:") :]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("documentation: "))
    assert (ROOT / line.removeprefix("documentation: ")).is_file()


@pytest.mark.parametrize("module", COMMANDS)
def test_the_version_is_printed(run: Run, module: str) -> None:
    done = run(module, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"python -m {module} ")
