"""The wheel, its answers and its tests in Debian for 64-bit Arm, on which Raspberry Pi OS is based."""

import shutil
from collections.abc import Iterator

import pytest
from machine import PIS_64, TREES, Machine
from userland import LONGEST, PYTHON, installed, runs_and_answers_as_here, with_wheel

from edge.deploy.package import CHECKOUT

pytestmark = [pytest.mark.emulated, pytest.mark.root]

RUNTIMES = {"bookworm-arm64": "tflite_runtime", "trixie-arm64": "ai_edge_litert"}
PACKAGES = [
    *("python3-venv", "libportaudio2", "pulseaudio", "pulseaudio-utils", "libasound2-plugins"),
    *("mosquitto", "mount", "openssl", "tzdata"),
]
MORE = ["scipy>=1.11"]  # from the extra bench, whose other packages tests/edge does not need
PARALLEL = "4"  # test files: most of them mostly wait for a microphone in real time
FUZZ = "FUZZ_EXAMPLES=20"  # a case takes ten times as long as on this machine, which runs a hundred


@pytest.fixture(scope="module", params=PIS_64)
def pi(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A tree with the wheel and the requirements of its tests."""
    folder, pip = tmp_path_factory.mktemp(request.param), ["--only-binary", ":all:", *MORE]
    with with_wheel(TREES / request.param, folder, PACKAGES, extras="[test,onnx]", pip=pip) as machine:
        yield machine


def test_pypi_has_wheels_of_every_requirement_of_a_device(pi: Machine) -> None:
    names = installed(pi).keys()
    assert RUNTIMES[pi.tree.name].replace("_", "-") in names
    assert {"edge-listen", "numpy", "sounddevice", "soundfile", "soxr", "tqdm"} <= names


def test_it_runs_and_answers_as_on_this_machine(pi: Machine) -> None:
    runs_and_answers_as_here(pi, RUNTIMES[pi.tree.name])


def test_its_tests_pass(pi: Machine) -> None:
    checkout = pi.layer / "changes/checkout"
    shutil.copytree(CHECKOUT / "tests", checkout / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", checkout)
    arguments = [
        "-m",
        "pytest",
        "--everything",
        "-m",
        "not slow",  # they take most of the time, and pass or fail as on this machine
        "-p",
        "no:cacheprovider",
        "-rsfE",
        "--durations=25",
        "--dist",
        "loadfile",
        "-n",
    ]
    # The shell stays process 1, which adopts a process whose parent was killed, and reaps it.
    in_checkout = ("env", FUZZ, "sh", "-c", 'cd /checkout; "$0" "$@" > report 2>&1; exit $?', PYTHON)
    finished = pi.run(*in_checkout, *arguments, PARALLEL, "tests/edge", timeout=LONGEST)
    report = (checkout / "report").read_text()
    print(f"\n{pi.tree.name}: {report[-20000:]}")
    assert finished.returncode == 0
    assert " skipped" not in report.splitlines()[-1]
