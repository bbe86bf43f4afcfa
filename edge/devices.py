"""Which microphone is meant: PortAudio's input devices, and how a person names one of them."""

import re
from dataclasses import dataclass
from typing import Any

from edge.errors import EdgeError

ALSA_NAME = re.compile(r"(?:plug)?hw:(\d+)(?:,(\d+))?$")  # hw:1 and hw:1,0, as arecord writes them
PORTAUDIO_ALSA = re.compile(r"\((?:plug)?hw:(\d+),(\d+)\)$")  # how PortAudio ends the name of an ALSA device


@dataclass(frozen=True)
class Device:
    """One input device of PortAudio; `rate` in Hz is its default."""

    index: int
    name: str
    host: str
    channels: int
    rate: int


def portaudio() -> Any:
    """The sounddevice module, which ships no PortAudio on Linux. Raise EdgeError where the library is missing."""
    try:
        import sounddevice
    except OSError:
        raise EdgeError("the PortAudio library is missing: sudo apt install libportaudio2") from None
    return sounddevice


def input_devices() -> list[Device]:
    """The devices that PortAudio can record from."""
    module = portaudio()
    hosts = [host["name"] for host in module.query_hostapis()]
    return [
        Device(d["index"], d["name"], hosts[d["hostapi"]], d["max_input_channels"], round(d["default_samplerate"]))
        for d in module.query_devices()
        if d["max_input_channels"] > 0
    ]


def listing(devices: list[Device]) -> str:
    """A line a device, as `--list-devices` prints them."""
    if not devices:
        return "no input device: is the microphone plugged in? `arecord -l` shows what ALSA sees"
    return "\n".join(f"{d.index:3}  {d.name}  ({d.host}, {d.channels} channels, {d.rate} Hz)" for d in devices)


def find_device(wanted: str | None, devices: list[Device], default: int) -> Device:
    """The device that a person means by an index, `hw:CARD[,DEVICE]` or a part of a name; None means `default`.

    `hw:1` is card 1 and never card 10. Raise EdgeError, with the list, when none or several match.
    """
    if wanted is None:
        matching = [d for d in devices if d.index == default] or devices[:1]
    elif wanted.isdecimal():
        matching = [d for d in devices if d.index == int(wanted)]
    elif card := ALSA_NAME.match(wanted):
        matching = [d for d in devices if _is_card(d.name, card[1], card[2])]
    else:
        matching = [d for d in devices if d.name.lower() == wanted.lower()] or [
            d for d in devices if wanted.lower() in d.name.lower()
        ]
    if len(matching) == 1:
        return matching[0]
    if not devices:
        raise EdgeError(listing(devices))
    problem = "several devices match" if matching else "no device matches"
    raise EdgeError(f"{problem} {wanted!r}; there are:\n{listing(matching or devices)}")


def _is_card(name: str, card: str, device: str | None) -> bool:
    found = PORTAUDIO_ALSA.search(name)
    return found is not None and found[1] == card and device in (None, found[2])
