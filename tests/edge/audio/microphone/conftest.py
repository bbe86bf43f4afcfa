"""A Raspberry Pi's sound cards for these tests."""

from pathlib import Path

import pytest
from helpers.sound_cards import MACHINE, plug


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the /proc of a machine with five cards, as `/`."""
    return plug(tmp_path, MACHINE)
