"""Selection of the device that a user means."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.sound_cards import DEFAULT, DONGLE, PULSE, TWIN, WEBCAM, listed, plug

from edge.audio.microphone.device import DeviceAbsent, DeviceError
from edge.audio.microphone.selection import find_device
from edge.errors import EdgeError


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("hw:1", "(hw:1,0)"),
        ("hw:1,0", "(hw:1,0)"),
        ("plughw:1", "(hw:1,0)"),
        ("hw:10", "(hw:10,0)"),
        ("hw:3", "(hw:3,0)"),
        ("hw:3,1", "(hw:3,1)"),
        ("hw:CARD=Device", "(hw:1,0)"),
        ("plughw:CARD=sndrpihat,DEV=1", "(hw:3,1)"),
        ("hw:device", "(hw:1,0)"),
        ("hw:Device,0", "(hw:1,0)"),
        ("Device", "(hw:1,0)"),
        ("c920", "(hw:10,0)"),
        ("usb:046d:0892", "(hw:10,0)"),
        ("USB:046D:0892", "(hw:10,0)"),
        ("usb-0000:01:00.0-1.1", "(hw:10,0)"),
        ("webcam", "(hw:10,0)"),
        ("USB PnP Sound Device: USB Audio", "(hw:1,0)"),
        ("USB PnP Sound Device: USB Audio (hw:1,0)", "(hw:1,0)"),
        ("0", "(hw:1,0)"),
        ("PULSE", "pulse"),
        ("pulse, ALSA", "pulse"),
        (" pulse ", "pulse"),
    ],
)
def test_a_device_is_found_by_any_of_its_names(root: Path, name: str, ending: str) -> None:
    assert find_device(name, listed(root), 9, root).name.endswith(ending)


def test_without_a_name_the_default_device_is_taken(root: Path) -> None:
    assert find_device(None, listed(root), 9, root).name == "default"


def test_without_a_default_device_the_first_one_is_taken(root: Path) -> None:
    assert find_device(None, listed(root), -1, root).index == 0


@pytest.mark.parametrize("name", ["hw:2", "hw:1"])
def test_card_numbers_are_found_without_proc(tmp_path: Path, name: str) -> None:
    """Docker hides /proc/asound."""
    devices = [replace(DEFAULT, name=f"Microphone: USB Audio ({name},0)"), replace(PULSE, name="Other (hw:12,0)")]
    assert find_device(name, devices, 9, tmp_path) == devices[0]


@pytest.mark.parametrize("name", ["hw:7", "hw:1,1", "99", "no such thing", "usb:046d:0001", "usb-0000:01:00.0-1"])
def test_an_unknown_name_lists_the_available_devices(root: Path, name: str) -> None:
    with pytest.raises(DeviceAbsent, match="no device matches") as caught:
        find_device(name, listed(root), 9, root)
    assert all(device.name in str(caught.value) for device in listed(root))


@pytest.mark.parametrize("name", ["hw:", "hw:1,x", "plughw:CARD=", "usb:046d", "usb:logitech"])
def test_an_invalid_address_is_not_worth_waiting(root: Path, name: str) -> None:
    with pytest.raises(EdgeError, match="invalid device address") as caught:
        find_device(name, listed(root), 9, root)
    assert not isinstance(caught.value, DeviceAbsent)


def test_several_matches_are_listed(root: Path) -> None:
    with pytest.raises(EdgeError, match="several devices match 'usb audio'") as caught:
        find_device("usb audio", listed(root), 9, root)
    assert "usb:046d:0892" in str(caught.value)
    assert "pulse" not in str(caught.value)


def test_several_matches_are_not_worth_waiting(root: Path) -> None:
    with pytest.raises(EdgeError) as caught:
        find_device("usb audio", listed(root), 9, root)
    assert not isinstance(caught.value, DeviceAbsent)


def test_the_usb_id_of_two_microphones_is_ambiguous(tmp_path: Path) -> None:
    plug(tmp_path, (DONGLE, TWIN))
    with pytest.raises(EdgeError, match="several devices match"):
        find_device("usb:0d8c:013c", listed(tmp_path), 9, tmp_path)


def test_the_usb_id_of_two_microphones_is_ambiguous_while_one_is_busy(tmp_path: Path) -> None:
    plug(tmp_path, (DONGLE, TWIN))
    with pytest.raises(EdgeError, match="several devices match"):
        find_device("usb:0d8c:013c", listed(tmp_path, busy=((4, 0),)), 9, tmp_path)


def test_a_card_id_precedes_part_of_another_name(tmp_path: Path) -> None:
    plug(tmp_path, (DONGLE, TWIN))
    assert find_device("Device", listed(tmp_path), 9, tmp_path).card == DONGLE


def test_an_exact_card_id_precedes_one_in_another_case(tmp_path: Path) -> None:
    lower = replace(TWIN, id="device")
    plug(tmp_path, (DONGLE, lower))
    assert find_device("hw:device", listed(tmp_path), 9, tmp_path).card == lower


def test_digits_are_a_card_number_even_if_another_card_has_them_as_id(tmp_path: Path) -> None:
    """As ALSA itself reads hw:CARD=10."""
    plug(tmp_path, (replace(DONGLE, id="10"), WEBCAM))
    assert find_device("hw:CARD=10", listed(tmp_path), 9, tmp_path).card == WEBCAM


def test_a_virtual_device_precedes_a_card_with_that_id(tmp_path: Path) -> None:
    plug(tmp_path, (DONGLE, replace(TWIN, id="pulse")))
    assert find_device("pulse", listed(tmp_path), 9, tmp_path).name == "pulse"


def test_the_sentence_for_several_matches_names_them_in_one_line(root: Path) -> None:
    with pytest.raises(DeviceError) as caught:
        find_device("usb audio", listed(root), 9, root)
    assert caught.value.sentence == (
        "several devices match 'usb audio'; choose one: "
        "usb:0d8c:013c, hw:CARD=sndrpihat,DEV=0, hw:CARD=sndrpihat,DEV=1, usb:046d:0892"
    )


@pytest.mark.parametrize("name", ["hw:0", "hw:7", "hw:", "no such thing"])
def test_the_sentence_of_every_error_is_whole_and_in_one_line(root: Path, name: str) -> None:
    with pytest.raises(DeviceError) as caught:
        find_device(name, listed(root), 9, root)
    assert str(caught.value).startswith(f"{caught.value.sentence}; available devices:\n")
    assert "\n" not in caught.value.sentence
