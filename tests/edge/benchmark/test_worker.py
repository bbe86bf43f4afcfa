"""The measured process, on the shipped model."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.benchmark.process_status import process_status
from edge.model.load import SHIPPED_MODEL

HEAVY = ("tensorflow", "keras", "librosa", "scipy", "sklearn", "matplotlib", "onnxruntime")


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """One second of noise at 48 kHz."""
    soundfile.write(tmp_path / "source.wav", np.random.default_rng(0).normal(0, 0.1, 48_000), 48_000)
    return tmp_path / "source.wav"


def test_the_measured_process_imports_only_packages_of_a_device(noise: Path) -> None:
    arguments = [str(SHIPPED_MODEL), str(noise), "--hop", "0.5", "--seconds", "6", "--spawned", "0"]
    code = (
        "import json, sys\n"
        "from edge.benchmark import worker\n"
        "from edge.cli import benchmark\n"
        f"sys.argv[1:] = {arguments}\n"
        "worker.main()\n"
        f"print(json.dumps(sorted(set({HEAVY}) & set(sys.modules))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_memory_is_reported_in_bytes() -> None:
    status = process_status()
    assert 10_000_000 < status["VmRSS"] <= status["VmHWM"]
    assert status["Threads"] >= 1
