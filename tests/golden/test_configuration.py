"""A configuration file of version 0.1.0 is accepted and has the same effect."""

import shutil
from pathlib import Path

import pytest
from golden.broker import free_port
from golden.commands import ROOT, PipedListener, demo, output
from golden.recording import RECORDED, check, json_lines


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The file, with the files that it names; no broker runs."""
    text = (RECORDED / "configuration.toml").read_text(encoding="utf-8")
    shutil.copy(ROOT / "edge" / "data" / "model.tflite", tmp_path)
    (tmp_path / "password").write_text("secret\n")
    path = tmp_path / "edge-listen.toml"
    path.write_text(text.replace("FOLDER", str(tmp_path)).replace("PORT", str(free_port())))
    return path


def heard(config: Path, *arguments: object) -> str:
    """The lines of a listener to the demo clip; INPUT overrides the device in the file."""
    with PipedListener("--config", config, *arguments) as listener:
        listener.write(demo())
        assert listener.finish() == 0
    return "".join(listener.lines)


def test_every_key_is_accepted_and_applied(config: Path) -> None:
    check("configuration.jsonl", heard(config), json_lines)


def test_the_history_is_where_the_file_says(config: Path) -> None:
    heard(config)
    assert output("edge-history", "--config", config, "labels")


def test_the_command_line_overrides_the_file(config: Path) -> None:
    first, *_ = json_lines(heard(config, "--top-k", 5, "--hop", 1.0))
    assert first["t"] == 1.0
    assert len(first["top"]) == 5
