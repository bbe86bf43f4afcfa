"""Options that every command has."""

import re
import subprocess
import sys

import pytest
from helpers.support import Run

COMMANDS = {
    "edge-listen": "edge.cli.listen",
    "edge-label": "edge.cli.label",
    "edge-history": "edge.cli.history",
    "edge-benchmark": "edge.cli.benchmark",
    "edge-deploy": "edge.deploy.command",
}
EACH_COMMAND = pytest.mark.parametrize(("name", "module"), COMMANDS.items())


def import_and_run(module: str, option: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Run a command with one option; returns the CPU time of importing and running it, and the finished process."""
    code = (
        "import sys, time; began = time.process_time()\n"
        f"import {module} as command; sys.argv = ['command', '{option}']\n"
        "try: command.main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(time.process_time() - began, 'numpy' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seconds, has_numpy = done.stderr.split()
    assert has_numpy == "False"
    return float(seconds), done


@EACH_COMMAND
def test_help_is_grouped_and_has_examples_and_the_documentation(name: str, module: str) -> None:
    _, done = import_and_run(module, "--help")
    assert done.stdout.startswith(f"usage: {name} ")
    assert "general:" in done.stdout
    assert f"examples:\n  {name}" in done.stdout
    assert re.search(r"documentation: \w+/(?:\w+/)?README\.md", done.stdout)
    assert "--version" in done.stdout


@EACH_COMMAND
def test_the_version_is_one_line(name: str, module: str) -> None:
    _, done = import_and_run(module, "--version")
    assert re.fullmatch(rf"{name} (\d+\.\d+\.\d+\S*|unknown)\n", done.stdout)


@EACH_COMMAND
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_take_at_most_0_3_seconds(name: str, module: str, option: str) -> None:
    limit = max(0.3, 12 * start_of_python())  # the second on an emulated machine alone
    assert min(import_and_run(module, option)[0] for _ in range(3)) < limit


def start_of_python() -> float:
    """CPU time until an interpreter runs its first line, in seconds: 0.015 to 0.02 on a workstation."""
    command = [sys.executable, "-c", "import time; print(time.process_time())"]
    return min(float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(3))


@EACH_COMMAND
def test_an_unknown_option_is_status_2_with_the_usage(run: Run, name: str, module: str) -> None:
    done = run(module, "--no-such-option")
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: {name} ")


@EACH_COMMAND
def test_completion_without_shtab_is_one_sentence(name: str, module: str) -> None:
    code = (
        f"import sys, {module} as command; sys.modules['shtab'] = None\n"
        "sys.argv = ['command', '--print-completion', 'bash']; command.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: shell completion needs shtab: pip install 'edge-listen[completion]'\n"
