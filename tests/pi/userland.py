"""The wheel in an emulated Debian: its requirements are installed once and kept, its answers compared with ours."""

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from machine import TREES, Machine

from edge.deploy.package import CHECKOUT, own_wheel

VENV = "/opt/edge"
PYTHON = f"{VENV}/bin/python"
PIP = (PYTHON, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check")
LONGEST = 3600.0
TOLERANCE = 1e-3
ANSWERS = """
import json, soundfile
from edge import DEMO_CLIP, load_model
from edge.audio.resample import Resampler

samples, rate = soundfile.read(DEMO_CLIP, dtype="float32", always_2d=True)
model = load_model()
resample = Resampler(rate, model.card.front_end.sample_rate)
answers = []
for start in range(0, len(samples), rate // 2):
    model.advance(resample(samples[start : start + rate // 2]))
    if (probabilities := model.probabilities()) is not None:
        answers.append(probabilities.tolist())
print(json.dumps({"labels": model.card.labels, "runtime": model.network.runtime, "answers": answers}))
"""


def done(machine: Machine, *command: str) -> str:
    """Run a command as root, which must succeed, and return its output."""
    done = machine.run(*command, timeout=LONGEST)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@contextlib.contextmanager
def with_wheel(
    tree: Path,
    folder: Path,
    packages: Sequence[str],
    *,
    extras: str = "",
    venv: Sequence[str] = (),
    pip: Sequence[str] = (),
) -> Iterator[Machine]:
    """Yield a machine with the wheel in a virtual environment, which is made with the options `venv`.

    Its requirements, Debian's `packages` and what `pip` installs beside the wheel with its [extras], are kept in a
    layer of their own until they change. `folder` is for a layer that is not kept.
    """
    wheel = own_wheel(folder)
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    needs = [project["dependencies"], project["optional-dependencies"] if extras else []]
    key_parts = [(tree / "var/lib/dpkg/status").read_text(), needs, extras, *map(list, (packages, venv, pip))]
    key = hashlib.sha256(json.dumps(key_parts).encode()).hexdigest()[:16]
    layer = TREES / "layers" / f"{tree.name}-{key}"
    if not layer.exists():
        for other in layer.parent.glob(f"{tree.name}-*"):
            shutil.rmtree(other)
        with Machine(tree, layer.with_name(layer.name + ".new")) as machine:
            machine.lend_network()
            done(machine, "apt-get", "update")
            done(machine, "apt-get", "install", "--yes", "--no-install-recommends", *packages)
            done(machine, "python3", "-m", "venv", *venv, VENV)
            done(machine, *PIP, "install", *pip, f"{lend(machine, wheel)}{extras}")
            done(machine, *PIP, "uninstall", "--yes", "edge-listen")
        machine.layer.rename(layer)
    with Machine(tree, folder / "layer", [layer]) as machine:
        done(machine, *PIP, "install", "--no-index", f"{lend(machine, wheel)}{extras}")
        yield machine


def lend(machine: Machine, file: Path) -> str:
    """Copy a file of this machine into it; returns its path there."""
    folder = machine.layer / "changes"
    folder.mkdir(exist_ok=True)
    shutil.copy(file, folder)
    return f"/{file.name}"


def installed(machine: Machine) -> dict[str, str]:
    """Return the versions of all packages, and print them, because they belong to every measurement."""
    versions = {entry["name"]: entry["version"] for entry in json.loads(done(machine, *PIP, "list", "--format=json"))}
    print(f"\n{machine.tree.name}: {versions}")
    return versions


def runs_and_answers_as_here(machine: Machine, runtime: str) -> None:
    """Assert that the demo prints the same as here, and that the probabilities of all its hops agree."""
    demo = subprocess.run(
        [sys.executable, "-m", "edge.cli.listen", "--demo"], capture_output=True, text=True, check=True, cwd=CHECKOUT
    )
    there = machine.run(f"{VENV}/bin/edge-listen", "--demo")
    assert (there.returncode, there.stdout, there.stderr) == (0, demo.stdout, "")
    here = subprocess.run([sys.executable, "-c", ANSWERS], capture_output=True, check=True, cwd=CHECKOUT)
    ours, theirs = json.loads(here.stdout), json.loads(done(machine, PYTHON, "-c", ANSWERS))
    assert theirs["runtime"].startswith(runtime)
    assert theirs["labels"] == ours["labels"]
    a, b = np.array(theirs["answers"]), np.array(ours["answers"])
    difference = np.abs(a - b).max()
    runtimes = f"{theirs['runtime']} differs by {difference:.2g} from {ours['runtime']} here"
    print(f"\n{machine.tree.name}: {runtimes} in {len(a)} answers")
    assert (a.argmax(1) == b.argmax(1)).all()
    assert difference < TOLERANCE
