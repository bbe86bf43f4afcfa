import pytest

from edge.devices import Device, find_device
from edge.errors import EdgeError

DEVICES = [
    Device(0, "bcm2835 Headphones: - (hw:0,0)", "ALSA", 1, 44_100),
    Device(2, "USB PnP Sound Device: Audio (hw:1,0)", "ALSA", 1, 44_100),
    Device(3, "Blue Snowball: USB Audio (hw:10,0)", "ALSA", 2, 48_000),
    Device(5, "pulse", "ALSA", 32, 44_100),
    Device(6, "default", "ALSA", 32, 44_100),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [(None, 6), ("3", 3), ("hw:1", 2), ("hw:1,0", 2), ("plughw:1", 2), ("hw:10", 3), ("snowball", 3), ("PULSE", 5)],
)
def test_a_device_is_found_by_what_a_person_writes(wanted: str | None, index: int) -> None:
    assert find_device(wanted, DEVICES, 6).index == index


@pytest.mark.parametrize("wanted", ["hw:2", "hw:1,1", "99", "no such thing"])
def test_no_match_lists_what_there_is(wanted: str) -> None:
    with pytest.raises(EdgeError, match="no device matches") as caught:
        find_device(wanted, DEVICES, 6)
    assert all(device.name in str(caught.value) for device in DEVICES)


def test_several_matches_are_listed() -> None:
    with pytest.raises(EdgeError, match="several devices match 'usb'") as caught:
        find_device("usb", DEVICES, 6)
    assert "Snowball" in str(caught.value)
    assert "Headphones" not in str(caught.value)


def test_a_machine_without_microphone_is_told_what_to_try() -> None:
    with pytest.raises(EdgeError, match="is the microphone plugged in"):
        find_device(None, [], -1)
