import dataclasses
from pathlib import Path

import pytest

from edge.benchmark import machine
from edge.benchmark.machine import this_machine, throttling

FLAGS = "throttled=0x50005"


@pytest.fixture
def vcgencmd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of the Raspberry Pi's own, which this machine doesn't have."""
    program = tmp_path / "vcgencmd"
    program.write_text(f"#!/bin/sh\necho {FLAGS}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return program


def test_the_flags_of_the_firmware_are_translated_into_words(vcgencmd: Path) -> None:
    assert throttling() == (
        "under-voltage",
        "throttled",
        "under-voltage has occurred",
        "throttling has occurred",
    )


def test_a_firmware_that_does_not_answer_is_not_an_error(vcgencmd: Path) -> None:
    vcgencmd.write_text("#!/bin/sh\necho VCHI initialization failed\nexit 1\n")
    assert throttling() is None


def test_throttling_is_unknown_without_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert throttling() is None


def test_a_property_that_cannot_be_read_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "GOVERNOR", tmp_path)  # reading a folder fails, as with a driver that doesn't answer
    monkeypatch.setattr(machine, "FREQUENCY", tmp_path)
    assert (this_machine().governor, this_machine().frequency_mhz) == (None, None)


def test_the_condition_names_what_makes_a_board_slower() -> None:
    board = dataclasses.replace(this_machine(), governor="ondemand", temperature_c=81.24, throttling=("throttled",))
    assert board.condition == "governor ondemand, temperature 81.2 °C, throttling throttled"
    assert "throttling none" in dataclasses.replace(board, throttling=()).condition
    assert "throttling unknown" in dataclasses.replace(board, throttling=None).condition
