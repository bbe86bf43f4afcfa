"""What `edge-listen --check` does: tries everything that listening needs, says how it went, and ends."""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.config import Config
from edge.decision import NOTHING_DBFS, level_dbfs
from edge.ear import Ear
from edge.errors import EdgeError
from edge.frontend import FloatArray
from edge.listen import model_path, open_source
from edge.model import load
from edge.outputs.chosen import make_outputs
from edge.sources import Gap

HEARD_SECONDS = 1.0


def check_all(config: Config, path: str | Path | None) -> int:
    """Exit status 0 if edge-listen would run; whatever wouldn't work is named, not just the first of it."""
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
    """What the model is, once it could be loaded and fits the hop."""
    model = load(model_path(config), config.threads)
    Ear(model, model.card.front_end.sample_rate, config.hop)
    return f"{model.card.name}, {model.card.format}, {len(model.card.labels)} labels, {model.network.runtime}"


def check_outputs(config: Config) -> str:
    """Which there would be; none of them is reached for."""
    return ", ".join(type(output).__name__.removesuffix("Output") for output in make_outputs(config)) or "none"


def check_source(config: Config, path: str | Path | None) -> str:
    """How loud the first second of it is. Raise EdgeError where nothing comes."""
    source = open_source(config, path)
    heard: list[FloatArray] = []
    with contextlib.closing(source.blocks()) as events:
        for event in events:
            if isinstance(event, Gap):
                raise EdgeError(f"{source.health.device}: {event.why}")
            heard.append(event)
            if sum(map(len, heard)) >= HEARD_SECONDS * source.rate:
                break
    level = level_dbfs(np.concatenate(heard, axis=None))  # of all channels
    loudness = "exact zeros: is it muted?" if level == NOTHING_DBFS else f"{level:.0f} dB re full scale"
    return f"{source.health.device}, {loudness}"
