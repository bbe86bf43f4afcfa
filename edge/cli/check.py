"""The self-test `edge-listen --check`: tries everything that listening needs, and names all that does not work."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.arrays import FloatArray
from edge.audio.source import Gap
from edge.cli.listen import model_path, open_source
from edge.config import Config
from edge.decision import DIGITAL_SILENCE_DBFS, level_dbfs
from edge.errors import EdgeError
from edge.listener import check_hop
from edge.model.load import load_model
from edge.native_stderr import silence_native_stderr
from edge.outputs.configured import make_outputs

TEST_SECONDS = 1.0  # of audio


def check_all(config: Config, path: str | Path | None) -> int:
    """Print one line per part; the exit status is 1 if any part does not work."""
    silence_native_stderr()
    checks: dict[str, Callable[[], str]] = {
        "model": lambda: check_model(config),
        "source": lambda: check_source(config, path),
        "outputs": lambda: check_outputs(config),
    }
    status = 0
    for name, check in checks.items():
        try:
            print(f"{name}: {check()}")
        except EdgeError as error:
            status = 1
            print(f"error: {name}: {error}", file=sys.stderr)
    return status


def check_model(config: Config) -> str:
    """Load the model and describe it."""
    model = load_model(model_path(config), config.threads)
    check_hop(model, config.hop)
    return f"{model.card.name}, {model.card.format}, {len(model.card.labels)} labels, {model.network.runtime}"


def check_outputs(config: Config) -> str:
    """Name the configured outputs; none of them is contacted."""
    return ", ".join(output.name for output in make_outputs(config)) or "none"


def check_source(config: Config, path: str | Path | None) -> str:
    """Measure the level of the first second of audio. Raise EdgeError if there is none."""
    heard: list[FloatArray] = []
    with open_source(config, path) as source:
        for block in source.blocks():
            if isinstance(block, Gap):
                raise EdgeError(f"{source.stats.device}: {block.why}")
            heard.append(block)
            if sum(map(len, heard)) >= TEST_SECONDS * source.rate:
                break
    if not heard:
        raise EdgeError(f"{source.stats.device}: contains no audio")
    level = level_dbfs(np.concatenate(heard, axis=None))  # of all channels
    loudness = "exact zeros: is it muted?" if level == DIGITAL_SILENCE_DBFS else f"{level:.0f} dB re full scale"
    return f"{source.stats.device}, {loudness}"
