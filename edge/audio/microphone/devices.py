"""The list of input devices, from PortAudio and the kernel, and how it is printed."""

import dataclasses
from pathlib import Path
from typing import Any

from edge.audio.microphone import alsa
from edge.audio.microphone.device import UNLISTED, Device, DeviceError, short_blocker, unlisted_device
from edge.audio.microphone.naming import lasting_argument
from edge.table import format_table

LISTED_RATES = (8_000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000)  # Hz
NO_DEVICE = "no input device found; is the microphone plugged in? `arecord -l` lists what ALSA finds"
HEADER = ("index", "name", "card", "USB", "rates", "channels", "--device")


def portaudio() -> Any:
    """The sounddevice module. Raise DeviceError if PortAudio, which it does not bring on Linux, can't be loaded."""
    try:
        import sounddevice
    except OSError:
        raise DeviceError("the PortAudio library is missing: sudo apt install libportaudio2") from None
    except Exception as error:  # PortAudioError, whose module could not be imported
        raise DeviceError(f"PortAudio does not start; is ALSA's configuration damaged? {error}") from None
    return sounddevice


def input_devices(root: Path = alsa.ROOT, *, probe: bool = False) -> list[Device]:
    """Devices that PortAudio can record from.

    Parameters
    ----------
    root
        Folder above /proc and /dev.
    probe
        Open each device to find the `rates` that it accepts.

    Raises
    ------
    DeviceError
        If PortAudio can't be loaded.
    """
    module = portaudio()
    hosts = [host["name"] for host in module.query_hostapis()]
    devices = [
        Device(
            d["index"],
            d["name"],
            hosts[d["hostapi"]],
            d["max_input_channels"],
            round(d["default_samplerate"]),
            _rates(module, d["index"]) if probe else (),
        )
        for d in module.query_devices()
        if d["max_input_channels"] > 0
    ]
    return [d for d in with_cards(devices, alsa.cards(root)) if d.index != UNLISTED]


def with_cards(devices: list[Device], cards: tuple[alsa.Card, ...]) -> list[Device]:
    """Devices with their cards and lasting arguments, then the capture devices that PortAudio does not list.

    PortAudio leaves out what it can't open when it starts: what is busy or not permitted. Their index is `UNLISTED`.
    """
    by_number = {card.number: card for card in cards}
    everything = [dataclasses.replace(d, card=by_number.get(d.numbers[0])) if d.numbers else d for d in devices]
    listed = {d.numbers for d in everything}
    everything += [unlisted_device(card, n) for card in cards for n in card.capture if (card.number, n) not in listed]
    return [dataclasses.replace(d, argument=lasting_argument(d, everything, cards)) for d in everything]


def with_unlisted(devices: list[Device], root: Path = alsa.ROOT) -> list[Device]:
    """The devices of PortAudio, then those of the kernel that it does not list."""
    return [*devices, *(d for d in with_cards(devices, alsa.cards(root)) if d.index == UNLISTED)]


def listing(devices: list[Device], root: Path = alsa.ROOT) -> str:
    """Text of `--list-devices`: one line per device, also for those that can't be opened, with the reason.

    Parameters
    ----------
    devices
        Devices of PortAudio.
    root
        Folder above /proc and /dev.
    """
    everything = with_unlisted(devices, root)
    return table(everything, root) if everything else NO_DEVICE


def listing_json(devices: list[Device], root: Path = alsa.ROOT) -> list[dict[str, Any]]:
    """Content of `--list-devices --json`.

    Parameters
    ----------
    devices
        Devices of PortAudio.
    root
        Folder above /proc and /dev.

    Returns
    -------
    One object per device; rates are in Hz, `state` is the reason if it can't be opened.
    """
    return [
        {
            "index": None if d.index == UNLISTED else d.index,
            "name": d.name,
            "host": d.host,
            "card": d.card and d.card.id,
            "usb": d.card and d.card.usb_id,
            "port": d.card and d.card.port,
            "rate": d.rate or None,
            "rates": list(d.rates),
            "channels": d.channels or None,
            "argument": d.argument,
            "state": short_blocker(d, root),
        }
        for d in with_unlisted(devices, root)
    ]


def table(devices: list[Device], root: Path) -> str:
    """One line per device below a header."""
    rows = [HEADER] + [
        (
            "-" if d.index == UNLISTED else str(d.index),
            d.name,
            d.card.id if d.card else "-",
            (d.card.usb_id if d.card else None) or "-",
            short_blocker(d, root) or " ".join(str(rate) for rate in d.rates or (d.rate,)),
            str(d.channels or "-"),
            d.argument,
        )
        for d in devices
    ]
    return format_table(rows, "<" * len(HEADER))


def _rates(module: Any, index: int) -> tuple[int, ...]:
    accepted = []
    for rate in LISTED_RATES:
        try:
            module.check_input_settings(device=index, samplerate=rate)
        except (module.PortAudioError, ValueError):
            continue
        accepted.append(rate)
    return tuple(accepted)
