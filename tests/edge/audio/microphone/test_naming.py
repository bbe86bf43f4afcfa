"""Names by which a device is found again after a reboot."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.sound_cards import DONGLE, MACHINE, TWIN, listed, plug

from edge.audio.microphone.alsa import Card
from edge.audio.microphone.naming import lasting_name
from edge.audio.microphone.selection import find_device


@pytest.mark.parametrize(
    ("present", "arguments"),
    [
        (MACHINE, ["usb:0d8c:013c", "hw:CARD=sndrpihat,DEV=0", "hw:CARD=sndrpihat,DEV=1", "usb:046d:0892"]),
        ((DONGLE, TWIN), ["usb-0000:01:00.0-1.3", "usb-0000:01:00.0-1.4"]),
        ((replace(DONGLE, capture=(0, 1)),), ["usb:0d8c:013c,DEV=0", "usb:0d8c:013c,DEV=1"]),
        ((replace(DONGLE, usb_id=None, port=None, id="1"),), ["USB PnP Sound Device: USB Audio"]),
    ],
)
def test_the_argument_is_the_most_lasting_name(tmp_path: Path, present: tuple[Card, ...], arguments: list[str]) -> None:
    plug(tmp_path, present)
    assert [d.argument for d in listed(tmp_path)] == [*arguments, "pulse", "default"]


def test_the_argument_is_unique_even_if_the_twin_is_busy(tmp_path: Path) -> None:
    plug(tmp_path, (DONGLE, TWIN))
    assert listed(tmp_path, busy=((4, 0),))[0].argument == "usb-0000:01:00.0-1.3"


@pytest.mark.parametrize("name", ["0", "hw:1", "plughw:1,0", "hw:CARD=1", "USB PnP Sound Device: USB Audio (hw:1,0)"])
def test_names_of_this_boot_are_replaced_by_the_argument(root: Path, name: str) -> None:
    assert lasting_name(name, find_device(name, listed(root), 9, root)) == "usb:0d8c:013c"


@pytest.mark.parametrize("name", [None, "usb:0d8c:013c", "hw:CARD=Device", "Device", "usb-0000:01:00.0-1.3", "PnP"])
def test_other_names_are_kept(root: Path, name: str | None) -> None:
    assert lasting_name(name, listed(root)[0]) == name
