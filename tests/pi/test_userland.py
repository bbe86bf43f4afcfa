"""The wheel, its tests and its answers in Debian for 64-bit Arm, which is what Raspberry Pi OS is made of."""

import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from machine import SUITES, TREES, Machine

from edge.deploy.package import own_wheel

CHECKOUT = Path(__file__).parents[2]
RUNTIMES = {"bookworm": "tflite_runtime", "trixie": "ai_edge_litert"}
PACKAGES = [
    *("python3-venv", "libportaudio2", "pulseaudio", "pulseaudio-utils", "libasound2-plugins"),
    *("mosquitto", "mount", "openssl", "tzdata"),
]
PIP = ("/opt/edge/bin/python", "-m", "pip", "--no-cache-dir", "--disable-pip-version-check")
EXTRAS = "test,onnx"
BESIDE = ["scipy>=1.11", "pytest-xdist>=3.6"]  # the first is of the extra bench, whose rest tests/edge doesn't need
AT_ONCE = "4"  # files of tests: most of them wait most of the time, for a microphone in real time
LONGEST = 3600.0
MOST_APART = 1e-3
ANSWERS = """
import json, soundfile
from edge.listen import DEMO
from edge.model import load
from edge.resample import ToModelRate

samples, rate = soundfile.read(DEMO, dtype="float32", always_2d=True)
model = load()
resample = ToModelRate(rate, model.card.front_end.sample_rate)
answers = []
for start in range(0, len(samples), rate // 2):
    model.advance(resample(samples[start : start + rate // 2]))
    if (probabilities := model.probabilities()) is not None:
        answers.append(probabilities.tolist())
print(json.dumps({"labels": model.card.labels, "runtime": model.network.runtime, "answers": answers}))
"""
# What QEMU's user emulation can't do, by name and with the reason.
BEYOND_QEMU: dict[str, str] = {}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", params=SUITES)
def pi(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A tree in which the wheel is installed; all that it needs is there from an earlier run, or comes now."""
    tree = TREES / f"{request.param}-arm64"
    with Machine(tree, tmp_path_factory.mktemp(request.param), [needs(tree, wheel)]) as machine:
        lend(machine, wheel)
        done(machine, *PIP, "install", "--only-binary", ":all:", f"/{wheel.name}[{EXTRAS}]")
        yield machine


def needs(tree: Path, wheel: Path) -> Path:
    """The layer with Debian's packages and PyPI's wheels, kept until one of them is asked for differently."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], project["optional-dependencies"], EXTRAS, *BESIDE]
    asked = [(tree / "var/lib/dpkg/status").read_text(), PACKAGES, requirements]
    key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
    layer = TREES / "layers" / f"{tree.name}-{key}"
    if not layer.exists():
        for other in layer.parent.glob(f"{tree.name}-*"):
            shutil.rmtree(other)
        with Machine(tree, layer.with_name(layer.name + ".new")) as machine:
            machine.lend_network()
            lend(machine, wheel)
            done(machine, "apt-get", "update")
            done(machine, "apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES)
            machine.lend_network()  # again: Debian's certificates may be new, and ours gone
            done(machine, "python3", "-m", "venv", "/opt/edge")
            done(machine, *PIP, "install", "--only-binary", ":all:", f"/{wheel.name}[{EXTRAS}]", *BESIDE)
            done(machine, *PIP, "uninstall", "--yes", "edge-listen")
        machine.layer.rename(layer)
    return layer


def lend(machine: Machine, wheel: Path) -> None:
    folder = machine.layer / "changes"
    folder.mkdir(exist_ok=True)
    shutil.copy(wheel, folder)


def done(machine: Machine, *command: str, seconds: float = LONGEST) -> str:
    done = machine.run(*command, timeout=seconds)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_pypi_has_wheels_of_all_that_a_device_needs(pi: Machine) -> None:
    installed = {entry["name"] for entry in json.loads(done(pi, *PIP, "list", "--format", "json"))}
    print(f"\n{pi.tree.name}: {done(pi, *PIP, 'freeze')}")
    assert RUNTIMES[pi.tree.name.split("-")[0]].replace("_", "-") in installed
    assert {"edge-listen", "numpy", "sounddevice", "soundfile", "soxr", "tqdm"} <= installed


def test_the_model_answers_as_on_this_machine(pi: Machine) -> None:
    ours = json.loads(
        subprocess.run([sys.executable, "-c", ANSWERS], capture_output=True, check=True, cwd=CHECKOUT).stdout
    )
    theirs = json.loads(done(pi, "/opt/edge/bin/python", "-c", ANSWERS))
    assert theirs["runtime"].startswith(RUNTIMES[pi.tree.name.split("-")[0]])
    assert theirs["labels"] == ours["labels"]
    a, b = np.array(theirs["answers"]), np.array(ours["answers"])
    apart = np.abs(a - b).max()
    print(f"\n{pi.tree.name}: {theirs['runtime']} and {ours['runtime']} here are {apart:.2g} apart in {len(a)} answers")
    assert (a.argmax(1) == b.argmax(1)).all()
    assert apart < MOST_APART


def test_its_tests_pass(pi: Machine) -> None:
    checkout = pi.layer / "changes/checkout"
    shutil.copytree(CHECKOUT / "tests", checkout / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", checkout)
    for test, why in BEYOND_QEMU.items():
        print(f"\n{pi.tree.name}: not {test}: {why}")
    words = ["-m", "pytest", "-p", "no:cacheprovider", "-rsfE", "-n", AT_ONCE, "--dist", "loadfile", "tests/edge"]
    words += [f"--deselect={test}" for test in BEYOND_QEMU]
    # The shell stays process 1: whose parent was killed is its child then, and is waited for when it has ended.
    in_checkout = ("sh", "-c", 'cd /checkout; "$0" "$@" > report 2>&1; exit $?', "/opt/edge/bin/python")
    finished = pi.run(*in_checkout, *words, timeout=LONGEST)
    report = (checkout / "report").read_text()
    print(f"\n{pi.tree.name}: {report[-20000:]}")
    assert finished.returncode == 0
    assert " skipped" not in report.splitlines()[-1]
