"""The microphones that edge-listen --list-devices --json prints, where a sound server offers one."""

from typing import Any

import pytest
from golden.commands import output
from golden.recording import as_json_lines, check, json_lines
from helpers.virtual_microphone import VirtualMicrophone

pytestmark = pytest.mark.microphone


@pytest.fixture(scope="module")
def devices(server: VirtualMicrophone) -> list[dict[str, Any]]:
    """The objects that are printed."""
    return json_lines(output("edge-listen", "--list-devices", "--json", env=server.environment))


def test_a_virtual_microphone(devices: list[dict[str, Any]]) -> None:
    (mic,) = [device for device in devices if device["name"] == "mic"]
    # Numbers that depend on the version of the sound system.
    assert type(mic["index"]) is type(mic["rate"]) is type(mic["channels"]) is type(mic["rates"][0]) is int
    check(
        "list_devices.jsonl", as_json_lines([{**mic, "index": 0, "rate": 0, "rates": [0], "channels": 0}]), json_lines
    )


def test_every_device_has_the_same_keys(devices: list[dict[str, Any]]) -> None:
    assert len({tuple(device) for device in devices}) == 1
