"""Sound cards read from a copy of a Raspberry Pi's /proc: a test machine has none."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.audio.microphone.alsa import Card, Holder, cards, holder, permission_denied

CARDS = """\
 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones
                      bcm2835 Headphones
 1 [Device         ]: USB-Audio - USB PnP Sound Device
                      C-Media Electronics Inc. USB PnP Sound Device at usb-0000:01:00.0-1.3, full spe
 2 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0
                      vc4-hdmi-0
10 [C920           ]: USB-Audio - HD Pro Webcam C920
                      HD Pro Webcam C920 at usb-0000:01:00.0-1.1, high speed
11 [sndrpigooglevoi]: RPi-simple - snd_rpi_googlevoicehat_soundcar
                      snd_rpi_googlevoicehat_soundcard
"""
NOBODY = 65534
RUNNING = """\
state: RUNNING
owner_pid   : 1239
trigger_time: 412.703814206
tstamp      : 0.000000000
delay       : 704
avail       : 704
avail_max   : 1056
-----
hw_ptr      : 1056704
appl_ptr    : 1056000
"""


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    """A Pi 4 with two USB microphones and a sound HAT; pulseaudio's thread records from the webcam."""
    files = {
        "proc/asound/cards": CARDS,
        "proc/asound/card0/pcm0p/sub0/status": "closed\n",
        "proc/asound/card1/usbid": "0d8c:013c\n",
        "proc/asound/card1/usbbus": "001/004\n",
        "proc/asound/card1/pcm0p/sub0/status": "closed\n",
        "proc/asound/card1/pcm0c/sub0/status": "closed\n",
        "proc/asound/card10/usbid": "046d:0892\n",
        "proc/asound/card10/pcm0c/sub0/status": RUNNING,
        "proc/asound/card11/pcm0p/sub0/status": "closed\n",
        "proc/asound/card11/pcm1c/sub0/status": "closed\n",
        "proc/asound/card11/pcm0c/sub0/status": "closed\n",
        "proc/1239/status": "Name:\talsa-source-HD \nUmask:\t0077\nState:\tS (sleeping)\nTgid:\t1234\nPid:\t1239\n",
        "proc/1239/comm": "alsa-source-HD \n",
        "proc/1234/comm": "pulseaudio\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_cards_are_those_of_the_kernel(pi: Path) -> None:
    assert cards(pi) == (
        Card(0, "Headphones", "bcm2835 Headphones"),
        Card(1, "Device", "USB PnP Sound Device", "0d8c:013c", "usb-0000:01:00.0-1.3", (0,)),
        Card(2, "vc4hdmi0", "vc4-hdmi-0"),
        Card(10, "C920", "HD Pro Webcam C920", "046d:0892", "usb-0000:01:00.0-1.1", (0,)),
        Card(11, "sndrpigooglevoi", "snd_rpi_googlevoicehat_soundcar", capture=(0, 1)),
    )


def test_a_machine_without_sound_has_no_cards(tmp_path: Path) -> None:
    assert cards(tmp_path) == ()


def test_a_kernel_without_cards_has_none(pi: Path) -> None:
    (pi / "proc/asound/cards").write_text("--- no soundcards ---\n")
    assert cards(pi) == ()


def yeti(root: Path, long_name: str) -> Card:
    """The card that is read if the kernel gives it this long name."""
    (root / "proc/asound").mkdir(parents=True)
    (root / "proc/asound/cards").write_text(f" 1 [Yeti           ]: USB-Audio - Yeti\n{'':22}{long_name}\n")
    return cards(root)[0]


@pytest.mark.parametrize(
    ("long_name", "port"),
    [
        ("Blue Microphones Yeti at usb-xhci-hcd.0-1, full speed", "usb-xhci-hcd.0-1"),  # Pi 5
        ("Blue Microphones Yeti at usb-3f980000.usb-1.2, high speed", "usb-3f980000.usb-1.2"),  # Pi 3
        ("Yeti at usb-at-home at usb-3f980000.usb-1.2, super speed plus", "usb-3f980000.usb-1.2"),
        ("Yeti at usb-3f980000.usb-1.2", "usb-3f980000.usb-1.2"),  # at a speed that the kernel has no name for
        ("Microphone at the window", None),
        ("", None),
    ],
)
def test_the_port_is_read_from_the_long_name(tmp_path: Path, long_name: str, port: str | None) -> None:
    assert yeti(tmp_path, long_name).port == port


@given(st.integers(1, 79))
def test_a_port_that_the_kernel_cut_is_not_used(length: int) -> None:
    long_name = ("x" * length + " at usb-0000:01:00.0-1.3, full speed")[:79]
    with tempfile.TemporaryDirectory() as folder:
        port = yeti(Path(folder), long_name).port
    assert port == ("usb-0000:01:00.0-1.3" if "-1.3," in long_name else None)


def test_a_driver_that_fills_its_field_does_not_hide_the_name(pi: Path) -> None:
    """Linux 5.4 on a Pi has no gap between the driver and its name."""
    (pi / "proc/asound/cards").write_text(
        " 1 [Headphones     ]: bcm2835_headphonbcm2835 Headphones - bcm2835 Headphones\n"
        "                      bcm2835 Headphones\n"
    )
    assert cards(pi)[0].name == "bcm2835 Headphones"


def test_the_holder_is_the_process_not_its_thread(pi: Path) -> None:
    assert holder(10, 0, pi) == Holder("pulseaudio", 1234)


def test_a_closed_device_has_no_holder(pi: Path) -> None:
    assert holder(1, 0, pi) is None


def test_a_missing_device_has_no_holder(pi: Path) -> None:
    assert holder(3, 0, pi) is None


def test_any_substream_may_be_held(pi: Path) -> None:
    (pi / "proc/asound/card1/pcm0c/sub1").mkdir()
    (pi / "proc/asound/card1/pcm0c/sub1/status").write_text(RUNNING)
    assert holder(1, 0, pi) == Holder("pulseaudio", 1234)


def test_a_holder_that_has_ended_has_no_name(pi: Path) -> None:
    for name in ("1239/status", "1239/comm", "1234/comm"):
        (pi / "proc" / name).unlink()
    assert holder(10, 0, pi) == Holder("", 1239)


@pytest.fixture
def node() -> Iterator[Path]:
    """A device node that this user may not open, in folders that everyone may open; as root, become another user."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as root:
        path = Path(root, "dev/snd/pcmC1D0c")
        path.parent.mkdir(parents=True)
        path.touch()
        path.chmod(0)
        Path(root).chmod(0o755)
        if user == 0:
            os.chown(path, NOBODY, -1)
            os.seteuid(NOBODY)
        yield path
        os.seteuid(user)


def test_a_device_that_may_not_be_opened_is_denied(node: Path) -> None:
    assert permission_denied(1, 0, node.parents[2])


def test_a_device_that_may_be_opened_is_not_denied(node: Path) -> None:
    node.chmod(0o600)
    assert not permission_denied(1, 0, node.parents[2])


def test_a_device_without_a_node_is_not_denied(node: Path) -> None:
    assert not permission_denied(2, 0, node.parents[2])


FILES = ("proc/asound/cards", "proc/asound/card10/usbid", "proc/asound/card10/pcm0c/sub0/status", "proc/1239/status")


@given(name=st.sampled_from(FILES), content=st.binary() | st.none(), keep=st.integers(0, 400))
def test_no_content_of_a_file_raises(name: str, content: bytes | None, keep: int) -> None:
    """A file begins correctly and continues with random bytes, or is missing."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in zip(FILES, (CARDS, "046d:0892\n", RUNNING, "Tgid:\t1234\n"), strict=True):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        if content is None:
            (root / name).unlink()
        else:
            (root / name).write_bytes((root / name).read_bytes()[:keep] + content)
        for card in cards(root):
            for device in (0, *card.capture):
                holder(card.number, device, root)
                permission_denied(card.number, device, root)
