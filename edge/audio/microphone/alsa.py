"""Sound cards from the kernel's /proc/asound, the process that records from them, and the permission to open them.

A file that vanishes while it is read (a microphone is unplugged) or holds nonsense counts as absent: nothing here
raises. Formats: snd_card_info_read (sound/core/init.c), usb_audio_make_longname (sound/usb/card.c),
snd_pcm_substream_proc_status_read (sound/core/pcm.c).
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")  # above proc/asound, proc/PID and dev/snd; a test passes another folder
CARDS = re.compile(
    r"^ *(?P<number>[0-9]{1,3}) \[(?P<id>[^\]\n]*)\]: (?P<driver>.*?) - (?P<name>.*)\n +(?P<long>.*)$", re.MULTILINE
)
USB_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
PORT = re.compile(r".* at (?P<port>usb-[^\s,]+)(?P<speed>,?)")
LONG_NAME_BYTES = 79  # the kernel cuts a longer name there, even in the middle of the port
CAPTURE = re.compile(r"pcm([0-9]{1,3})c")
OWNER = re.compile(r"^owner_pid *: *([0-9]{1,9})$", re.MULTILINE)
PROCESS = re.compile(r"^Tgid:\s*([0-9]{1,9})$", re.MULTILINE)


@dataclass(frozen=True)
class Card:
    """One sound card.

    Attributes
    ----------
    number
        ALSA's number, which may be another one after a reboot.
    id, name
        ALSA's short identifier, unique at any one time, and the description.
    usb_id
        VENDOR:PRODUCT in lower-case hex, None if the card is not on USB.
    port
        USB port that it is plugged into, such as usb-0000:01:00.0-1.3, if it is known.
    capture
        Numbers of its devices that record.
    """

    number: int
    id: str
    name: str
    usb_id: str | None = None
    port: str | None = None
    capture: tuple[int, ...] = ()


class Holder(NamedTuple):
    """The process that records from a device; the name is empty if it is not known."""

    name: str
    pid: int


def cards(root: Path = ROOT) -> tuple[Card, ...]:
    """Sound cards of this machine, those without an input included."""
    asound = root / "proc/asound"
    return tuple(
        Card(
            number=int(entry["number"]),
            id=entry["id"].strip(),
            name=entry["name"].strip(),
            usb_id=_usb_id(asound / f"card{entry['number']}"),
            port=_port(entry["long"]),
            capture=_capture(asound / f"card{entry['number']}"),
        )
        for entry in CARDS.finditer(_text(asound / "cards"))
    )


def holder(card: int, device: int, root: Path = ROOT) -> Holder | None:
    """The process that records from a capture device; None if there is none or it is not known."""
    folder = root / f"proc/asound/card{card}/pcm{device}c"
    for substream in _names(folder):
        if owner := OWNER.search(_text(folder / substream / "status")):
            return _process(root / "proc", owner[1])
    return None


def permission_denied(card: int, device: int, root: Path = ROOT) -> bool:
    """True if the capture device exists and this user may not open it."""
    node = root / f"dev/snd/pcmC{card}D{device}c"
    return os.access(node, os.F_OK) and not os.access(node, os.R_OK | os.W_OK, effective_ids=True)


def _usb_id(folder: Path) -> str | None:
    match = USB_ID.fullmatch(_text(folder / "usbid").strip().lower())
    return match and match[0]


def _port(long_name: str) -> str | None:
    match = PORT.match(long_name)
    complete = match and (match["speed"] or len(long_name.encode()) < LONG_NAME_BYTES)
    return match["port"] if match and complete else None


def _capture(folder: Path) -> tuple[int, ...]:
    return tuple(sorted(int(match[1]) for name in _names(folder) if (match := CAPTURE.fullmatch(name))))


def _process(proc: Path, thread: str) -> Holder:
    # The owner is the thread that opened the device ("data-loop.0"), whose name says less than that of its process.
    match = PROCESS.search(_text(proc / thread / "status"))
    pid = match[1] if match else thread
    return Holder(_text(proc / pid / "comm").strip(), int(pid))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except OSError:
        return []
