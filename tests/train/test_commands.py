"""The commands of training and conversion on a machine that has no training stack."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.support import window_card

ROOT = Path(__file__).parents[2]
STACK = ("tensorflow", "keras", "tf_keras", "librosa", "joblib", "sklearn", "scipy", "pyroomacoustics", "matplotlib")
COMMANDS = {"train.fit": "train", "train.evaluate": "train", "convert.export": "train,convert"}


def without_stack(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a module in a Python in which the packages of STACK cannot be imported."""
    code = (
        "import builtins, runpy, sys\n"
        f"missing, original = {STACK!r}, builtins.__import__\n"
        "def importer(name, *others, **more):\n"
        "    if name.split('.')[0] in missing:\n"
        "        raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "    return original(name, *others, **more)\n"
        "builtins.__import__ = importer\n"
        f"sys.argv = {[module, *map(str, arguments)]!r}\n"
        f"runpy.run_module({module!r}, run_name='__main__')\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, env=environment
    )


@pytest.mark.parametrize("module", COMMANDS)
def test_help_needs_no_training_stack(module: str) -> None:
    done = without_stack(module, "--help")
    assert done.returncode == 0, done.stderr
    assert f"usage: python -m {module}" in done.stdout


@pytest.mark.parametrize("module", COMMANDS)
def test_help_has_an_example_and_names_the_documentation(module: str) -> None:
    text = without_stack(module, "--help").stdout
    assert f"python -m {module} " in text[text.index("examples:") :]
    (line,) = (line for line in text.splitlines() if line.startswith("documentation: "))
    assert (ROOT / line.removeprefix("documentation: ")).is_file()


@pytest.mark.parametrize("module", COMMANDS)
def test_the_version_needs_no_training_stack(module: str) -> None:
    done = without_stack(module, "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"python -m {module} ")


def assert_names_extra(done: subprocess.CompletedProcess[str], extra: str) -> None:
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(f" is not installed: pip install -e '.[{extra}]'\n")
    assert done.stderr.count("\n") == 1


def test_fit_without_its_extra_names_the_pip_command(tmp_path: Path) -> None:
    arguments = ("--data", tmp_path, "--recipe", "edge", "--split", "tracks", "--out", tmp_path / "run")
    assert_names_extra(without_stack("train.fit", *arguments), COMMANDS["train.fit"])
    assert not (tmp_path / "run").exists()


def test_evaluate_without_its_extra_names_the_pip_command(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("{}")
    (tmp_path / "run.json").write_text(
        '{"data": "x", "other": null, "unlabelled": [], "recipe": "edge", "split": "tracks", "seed": 0, "epochs": 1, '
        '"corpus_sha256": "", "command": ""}'
    )
    assert_names_extra(without_stack("train.evaluate", tmp_path, "--data", tmp_path), COMMANDS["train.evaluate"])


def test_export_without_its_extra_names_the_pip_command(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "card.json").write_text(window_card().to_json())
    np.savez(run / "held_back.npz", inputs=np.zeros((2, 8, 5), np.float32), labels=np.zeros(2, int))
    for name in ("network.keras", "calibration.npz"):
        (run / name).touch()
    done = without_stack("convert.export", run, "--out", tmp_path / "models")
    assert_names_extra(done, COMMANDS["convert.export"])
    assert not (tmp_path / "models").exists()
