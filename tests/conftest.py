"""Fixtures of all tests, and the choice of the tests that run anywhere in under a minute."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from helpers.support import Run, synthesise
from helpers.virtual_microphone import ListenProcess, VirtualMicrophone, is_sound
from hypothesis import settings

settings.register_profile("no deadline", deadline=None)  # a slow machine is not a failure
settings.load_profile("no deadline")

# Tests with one of these markers run with --everything only, and fail there if what they need is missing.
DEMANDING = {
    "slow": "more than a second each",
    "microphone": "PulseAudio",
    "broker": "mosquitto",
    "root": "root",
    "emulated": "an emulated machine",
    "workstation": "the workstation's packages",
}
FOLDERS = {  # folder → marker of all tests in it
    "train": "workstation",
    "convert": "workstation",
    "benchmarks": "workstation",
    "golden": "slow",
    "live": "slow",
    "pi": "emulated",
}
WORKSTATION_MODULE = re.compile(r"^pytestmark\b.*\bworkstation\b", re.MULTILINE)
HERE = Path(__file__).parent
collect_ignore = ["helpers"]  # no tests, and doctests are in the packages


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--everything", action="store_true", help=f"run also tests that need {', '.join(DEMANDING.values())}"
    )


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("FUZZ_EXAMPLES", "100" if config.getoption("everything") else "20")


def selects_by_default(config: pytest.Config) -> bool:
    """True unless the command line selects the tests by --everything or -m."""
    return not (config.getoption("everything") or config.getoption("markexpr"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules whose imports fail without the workstation's packages."""
    if not selects_by_default(config):
        return None
    if collection_path.parent == HERE and FOLDERS.get(collection_path.name) == "workstation":
        return True
    if collection_path.suffix == ".py" and WORKSTATION_MODULE.search(collection_path.read_text(encoding="utf-8")):
        return True
    return None


@pytest.hookimpl(tryfirst=True)  # before -m looks at the markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and (name := FOLDERS.get(item.path.relative_to(HERE).parts[0])):
            item.add_marker(name)
    if not selects_by_default(config):
        return
    demanding = {item for item in items if any(item.get_closest_marker(name) for name in DEMANDING)}
    if demanding:
        config.hook.pytest_deselected(items=list(demanding))
        items[:] = [item for item in items if item not in demanding]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if selects_by_default(config):
        needs = ", ".join(DEMANDING.values())
        terminalreporter.write_line(
            f"deselected by default: tests that need {needs}; `make test` runs all: pytest --everything"
        )


@pytest.fixture
def run() -> Run:
    """Run a module of this project as a command of its own; returns the finished process."""

    def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)

    return run


@pytest.fixture
def melody(tmp_path: Path) -> Path:
    """Eight seconds of a plucked melody, 48 kHz, stereo."""
    path = tmp_path / "melody.wav"
    soundfile.write(path, synthesise(8.0, 48_000, 2), 48_000)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualMicrophone]:
    """One PulseAudio server for the tests of a file; each leaves it as it was."""
    microphone = VirtualMicrophone(tmp_path_factory.mktemp("home"))
    yield microphone
    microphone.kill_server()


@pytest.fixture
def listener(server: VirtualMicrophone) -> Iterator[ListenProcess]:
    """A running edge-listen that already receives audio."""
    listener = ListenProcess(server.environment, "--device", "mic")
    listener.until(is_sound)
    yield listener
    listener.end(signal.SIGKILL)
