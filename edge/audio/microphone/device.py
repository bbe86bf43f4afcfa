"""One input device, and the reason if it can't be opened."""

import re
from dataclasses import dataclass
from pathlib import Path

from edge.audio.microphone import alsa
from edge.errors import EdgeError

UNLISTED = -1  # the index of a device that the kernel knows and PortAudio does not list
PORTAUDIO_ALSA = re.compile(r" ?\((?:plug)?hw:([0-9]{1,3}),([0-9]{1,3})\)$")  # ends PortAudio's name of ALSA hardware
SERVER_DEVICES = {  # ALSA devices that record through a sound server
    "pulseaudio": ("pulse",),
    "pipewire": ("pipewire", "pulse"),
    "wireplumber": ("pipewire", "pulse"),
}


class DeviceError(EdgeError):
    """The device can't be used; the message may end with a table of devices.

    Attributes
    ----------
    sentence : str
        The message in one line, without the table: for logs and notes.
    """

    def __init__(self, sentence: str, message: str | None = None) -> None:
        super().__init__(message or sentence)
        self.sentence = sentence.replace("\n", " ")  # PortAudio's own descriptions may have several lines


class DeviceAbsent(DeviceError):
    """No device that can be opened matches now; one may match later, when it is plugged in or free."""


@dataclass(frozen=True)
class Device:
    """One input device of PortAudio.

    Attributes
    ----------
    index
        PortAudio's index, or `UNLISTED`.
    name
        PortAudio's name; that of ALSA hardware ends with the numbers of its card and device.
    host
        Name of the host API, such as "ALSA".
    channels
        Maximum number of input channels.
    rate
        Default sample rate in Hz.
    rates
        Those of `LISTED_RATES` in Hz that it accepts; empty if it was not asked.
    card
        The kernel's card, if it has one.
    argument
        Value of `--device` that still means this device after a reboot.
    """

    index: int
    name: str
    host: str
    channels: int
    rate: int
    rates: tuple[int, ...] = ()
    card: alsa.Card | None = None
    argument: str = ""

    @property
    def numbers(self) -> tuple[int, int] | None:
        """Numbers of the ALSA card and its capture device; None unless it is hardware."""
        match = PORTAUDIO_ALSA.search(self.name)
        return match and (int(match[1]), int(match[2]))

    @property
    def plain_name(self) -> str:
        """The name without the ALSA numbers, which may change with a reboot."""
        return PORTAUDIO_ALSA.sub("", self.name)


def unlisted_device(card: alsa.Card, number: int) -> Device:
    """A capture device of a card that PortAudio does not list."""
    return Device(UNLISTED, f"{card.name} (hw:{card.number},{number})", "ALSA", 0, 0, card=card)


def blocker(device: Device, devices: list[Device], root: Path = alsa.ROOT) -> str | None:
    """Reason why ALSA hardware can't be opened.

    Parameters
    ----------
    device
        The device that can't be opened.
    devices
        Devices of PortAudio, one of which may lead to the same microphone through a sound server.
    root
        Folder above /proc and /dev.

    Returns
    -------
    A clause to follow the device's name, with what would help; None if the reason is not known.
    """
    if device.card is None or device.numbers is None:
        return None
    if alsa.permission_denied(*device.numbers, root):
        return "which you may not open; join the group audio (sudo usermod -aG audio $USER) and log in again"
    held = alsa.holder(*device.numbers, root)
    if held is None:
        return None
    who = f"{held.name or 'another program'} (process {held.pid})"
    detours = [d.name for name in SERVER_DEVICES.get(held.name, ()) for d in devices if d.name == name]
    return f"which {who} is using; stop it" + (f", or listen through it with --device {detours[0]}" if detours else "")


def short_blocker(device: Device, root: Path = alsa.ROOT) -> str | None:
    """Reason in a few words why PortAudio does not list a device; None if it lists it."""
    if device.index != UNLISTED or device.numbers is None:
        return None
    if alsa.permission_denied(*device.numbers, root):
        return "not permitted: group audio"
    held = alsa.holder(*device.numbers, root)
    return f"busy: {held.name or 'another program'} ({held.pid})" if held else "can't be opened"
