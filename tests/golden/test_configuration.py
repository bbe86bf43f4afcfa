"""A configuration file that version 0.1.0 took is taken, and does the same."""

import shutil
from pathlib import Path

import pytest
from golden.broker import free_port
from golden.commands import ROOT, PipedListener, demo, output
from golden.recording import RECORDED, check, json_lines


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The file, beside all that it names but a broker."""
    text = (RECORDED / "configuration.toml").read_text(encoding="utf-8")
    shutil.copy(ROOT / "edge" / "data" / "model.tflite", tmp_path)
    (tmp_path / "password").write_text("secret\n")
    path = tmp_path / "edge-listen.toml"
    path.write_text(text.replace("FOLDER", str(tmp_path)).replace("PORT", str(free_port())))
    return path


def heard(config: Path, *arguments: object) -> str:
    """The lines of a listener to the demo clip; INPUT goes before the device of the file."""
    with PipedListener("--config", config, *arguments) as listener:
        listener.write(demo())
        assert listener.finish() == 0
    return "".join(listener.lines)


def test_every_key_is_taken_and_heeded(config: Path) -> None:
    check("configuration.jsonl", heard(config), json_lines)


def test_the_history_is_where_the_file_says(config: Path) -> None:
    heard(config)
    assert output("edge-history", "--config", config, "labels")


def test_the_command_line_goes_before_the_file(config: Path) -> None:
    first, *_ = json_lines(heard(config, "--top-k", 5, "--hop", 1.0))
    assert first["t"] == 1.0
    assert len(first["top"]) == 5
