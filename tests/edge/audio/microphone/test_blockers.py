"""Errors that say why a device can't be opened."""

import os
import tempfile
from pathlib import Path

import pytest
from helpers.sound_cards import DEFAULT, DONGLE, hold, listed, plug

from edge.audio.microphone.device import DeviceAbsent
from edge.audio.microphone.selection import find_device


def test_the_error_for_a_card_without_input_says_so(root: Path) -> None:
    with pytest.raises(DeviceAbsent, match="hw:0 is 'bcm2835 Headphones', which has no input"):
        find_device("hw:0", listed(root), 9, root)


def test_the_free_device_of_a_busy_card_is_taken(root: Path) -> None:
    assert find_device("hw:3", listed(root, busy=((3, 0),)), 9, root).numbers == (3, 1)


def test_the_error_on_a_machine_without_microphone_says_what_to_try(tmp_path: Path) -> None:
    with pytest.raises(DeviceAbsent, match="is the microphone plugged in"):
        find_device(None, [], -1, tmp_path)


@pytest.mark.parametrize("name", ["hw:1", "usb:0d8c:013c", "PnP", "usb-0000:01:00.0-1.3"])
def test_the_error_for_a_busy_card_names_the_process_that_uses_it(root: Path, name: str) -> None:
    hold(root, 1, 0, "pulseaudio")
    with pytest.raises(
        DeviceAbsent, match=r"is 'USB PnP Sound Device', which pulseaudio \(process 412\) is using; stop it"
    ):
        find_device(name, listed(root, busy=((1, 0),)), 9, root)


@pytest.mark.parametrize("server", ["pulseaudio", "pipewire", "wireplumber"])
def test_a_listed_sound_server_is_suggested_if_it_holds_the_card(root: Path, server: str) -> None:
    hold(root, 1, 0, server)
    with pytest.raises(DeviceAbsent, match=r", or listen through it with --device pulse$"):
        find_device("hw:1", listed(root, busy=((1, 0),)), 9, root)


def test_a_sound_server_that_is_not_listed_is_not_suggested(root: Path) -> None:
    hold(root, 1, 0, "pulseaudio")
    with pytest.raises(DeviceAbsent, match=r"is using; stop it$"):
        find_device("hw:1", listed(root, busy=((1, 0),), virtual=(DEFAULT,)), 9, root)


def test_no_sound_server_is_suggested_if_another_program_holds_the_card(root: Path) -> None:
    hold(root, 1, 0, "arecord")
    with pytest.raises(DeviceAbsent, match=r"which arecord \(process 412\) is using; stop it$"):
        find_device("hw:1", listed(root, busy=((1, 0),)), 9, root)


def test_the_error_for_an_unknown_reason_names_a_command_that_shows_it(root: Path) -> None:
    with pytest.raises(DeviceAbsent, match="arecord -D plughw:1,0"):
        find_device("hw:1", listed(root, busy=((1, 0),)), 9, root)


def test_the_only_microphone_is_reported_busy_without_being_named(tmp_path: Path) -> None:
    hold(plug(tmp_path, (DONGLE,)), 1, 0, "arecord")
    with pytest.raises(DeviceAbsent, match="the microphone is 'USB PnP Sound Device', which arecord"):
        find_device(None, [], -1, tmp_path)


def test_the_error_for_a_missing_permission_names_the_group() -> None:
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        root = plug(Path(folder), (DONGLE,))
        node = root / "dev/snd/pcmC1D0c"
        node.parent.mkdir(parents=True)
        node.touch(0)
        root.chmod(0o755)
        if user == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(DeviceAbsent, match="sudo usermod -aG audio"):
                find_device("hw:1", [], -1, root)
        finally:
            os.seteuid(user)
