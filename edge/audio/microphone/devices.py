"""Which microphone is meant: PortAudio's input devices, the kernel's cards, and how a person names one of them."""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.audio.microphone import alsa
from edge.errors import EdgeError

# hw:1 and hw:1,0 as arecord writes them, plughw:CARD=Device,DEV=0 as ALSA does, usb:046d:0825, usb-0000:01:00.0-1.3
ADDRESS = re.compile(
    r"(?:(?:plug)?hw:(?:CARD=)?(?P<card>[^,=]+)|usb:(?P<usb>[0-9a-f]{4}:[0-9a-f]{4})|(?P<port>usb-[^,\s]+))"
    r"(?:,(?:DEV=)?(?P<pcm>[0-9]+))?",
    re.IGNORECASE,
)
ADDRESS_BEGINS = re.compile(r"(plug)?hw:|usb:", re.IGNORECASE)
ADDRESS_HELP = "hw:CARD, hw:CARD,DEVICE or usb:VENDOR:PRODUCT (in hex)"
PORTAUDIO_ALSA = re.compile(r" ?\((?:plug)?hw:([0-9]{1,3}),([0-9]{1,3})\)$")  # ends PortAudio's name of ALSA hardware
UNLISTED = -1  # the index of a device that the kernel knows and PortAudio doesn't list
LISTED_RATES = (8_000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000)  # Hz
THROUGH = {  # a sound server -> the PCMs that lead to it
    "pulseaudio": ("pulse",),
    "pipewire": ("pipewire", "pulse"),
    "wireplumber": ("pipewire", "pulse"),
}
NOTHING = "no input device: is the microphone plugged in? `arecord -l` shows what ALSA sees"
HEADER = ("index", "name", "card", "USB", "rates", "channels", "--device")


class DeviceAbsent(EdgeError):
    """No device that can be opened matches now; one may later, when it is plugged in or free."""


@dataclass(frozen=True)
class Device:
    """One input device of PortAudio.

    `rate` in Hz is its default, `rates` those of LISTED_RATES that it accepts (empty where nobody asked); `card` is the
    kernel's, if it has one; `argument` is what to write for it that is still right after a reboot.
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
        """Of the ALSA card and of its capture device, None for what is no hardware."""
        found = PORTAUDIO_ALSA.search(self.name)
        return found and (int(found[1]), int(found[2]))

    @property
    def plain_name(self) -> str:
        """The name without the ALSA numbers, which belong to this boot."""
        return PORTAUDIO_ALSA.sub("", self.name)


def portaudio() -> Any:
    """The sounddevice module, which ships no PortAudio on Linux. Raise EdgeError where the library is missing."""
    try:
        import sounddevice
    except OSError:
        raise EdgeError("the PortAudio library is missing: sudo apt install libportaudio2") from None
    except Exception as error:  # PortAudioError, whose module could not be imported
        raise EdgeError(f"PortAudio doesn't start, is ALSA's configuration damaged? {error}") from None
    return sounddevice


def input_devices(root: Path = alsa.ROOT, *, probe: bool = False) -> list[Device]:
    """The devices that PortAudio can record from; `probe` opens each of them to know its `rates`."""
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
    return [d for d in joined(devices, alsa.cards(root)) if d.index != UNLISTED]


def joined(devices: list[Device], cards: tuple[alsa.Card, ...]) -> list[Device]:
    """The devices with their cards and lasting arguments, then the capture devices that PortAudio doesn't list.

    PortAudio leaves out what it can't open when it starts: what is busy or forbidden. Their index is UNLISTED.
    """
    by_number = {card.number: card for card in cards}
    found = [dataclasses.replace(d, card=by_number.get(d.numbers[0])) if d.numbers else d for d in devices]
    listed = {d.numbers for d in found}
    found += [_unlisted(card, pcm) for card in cards for pcm in card.capture if (card.number, pcm) not in listed]
    return [dataclasses.replace(d, argument=_argument(d, found, cards)) for d in found]


def find_device(wanted: str | None, devices: list[Device], default: int, root: Path = alsa.ROOT) -> Device:
    """The device that a person means; None means the one with the index `default`.

    A person writes an index, an address (see ADDRESS; without a device it means the card's first), the id of a card, or
    a name or a part of it; what matches exactly beats what matches but for its case, and that beats a part. Raise
    DeviceAbsent, with the list or with who is using it, when none can be opened, EdgeError when several match.
    """
    everything = _everything(devices, root)
    if wanted is None:
        if devices:
            return next((d for d in devices if d.index == default), devices[0])
        raise DeviceAbsent("; ".join(_unopened("the microphone", d, devices, root) for d in everything) or NOTHING)
    meant = _matching(wanted.strip(), everything)
    if not meant:
        raise _no_match(wanted.strip(), everything, root)
    if len(meant) > 1:
        raise EdgeError(f"several devices match {wanted!r}; write the argument of one:\n{_table(meant, root)}")
    if meant[0].index == UNLISTED:
        raise DeviceAbsent(_unopened(wanted, meant[0], devices, root))
    return meant[0]


def lasting(wanted: str | None, device: Device) -> str | None:
    """What to look for when the device that `wanted` has found is gone, as indexes and card numbers may change."""
    if wanted is None:
        return None
    address = ADDRESS.fullmatch(wanted.strip())
    numbered = address and (address["card"] or "").isdecimal()
    if numbered or wanted.strip().isdecimal() or PORTAUDIO_ALSA.search(wanted.strip()):
        return device.argument
    return wanted


def hindrance(device: Device, devices: list[Device], root: Path = alsa.ROOT) -> str | None:
    """Why ALSA hardware can't be opened and what would help, as a clause after its name; None if it can't be known."""
    if device.card is None or device.numbers is None:
        return None
    if alsa.forbidden(*device.numbers, root):
        return "which you may not open; join the group audio (sudo usermod -aG audio $USER) and log in again"
    held = alsa.holder(*device.numbers, root)
    if held is None:
        return None
    who = f"{held.name or 'another program'} (process {held.pid})"
    through = [d.name for name in THROUGH.get(held.name, ()) for d in devices if d.name == name]
    return f"which {who} is using; stop it" + (f", or listen through it with --device {through[0]}" if through else "")


def listing(devices: list[Device], root: Path = alsa.ROOT) -> str:
    """A line a device, as `--list-devices` prints them, with those that PortAudio can't open and why."""
    everything = _everything(devices, root)
    return _table(everything, root) if everything else NOTHING


def listing_json(devices: list[Device], root: Path = alsa.ROOT) -> list[dict[str, Any]]:
    """An object a device, as `--list-devices --json` prints them; rates in Hz, `state` tells why it can't be opened."""
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
            "state": _state(d, root),
        }
        for d in _everything(devices, root)
    ]


def _everything(devices: list[Device], root: Path) -> list[Device]:
    return [*devices, *(d for d in joined(devices, alsa.cards(root)) if d.index == UNLISTED)]


def _unlisted(card: alsa.Card, pcm: int) -> Device:
    return Device(UNLISTED, f"{card.name} (hw:{card.number},{pcm})", "ALSA", 0, 0, card=card)


def _rates(module: Any, index: int) -> tuple[int, ...]:
    accepted = []
    for rate in LISTED_RATES:
        try:
            module.check_input_settings(device=index, samplerate=rate)
        except (module.PortAudioError, ValueError):
            continue
        accepted.append(rate)
    return tuple(accepted)


def _matching(wanted: str, devices: list[Device]) -> list[Device]:
    """What the words mean, by the first reading that anything matches."""
    if wanted.isdecimal():
        return [d for d in devices if d.index != UNLISTED and str(d.index) == wanted]
    if address := ADDRESS.fullmatch(wanted):
        of_card = _first_of_card([d for d in _addressed(address, devices) if address["pcm"] in (None, _pcm(d))])
        if of_card or not address["port"]:  # what begins with usb- may as well be a name
            return of_card
    folded = wanted.casefold()
    return (
        [d for d in devices if d.name == wanted]
        or [d for d in devices if folded in (d.name.casefold(), d.plain_name.casefold(), _with_host(d).casefold())]
        or _first_of_card(_with_card_id(wanted, devices))
        or [d for d in devices if folded in d.plain_name.casefold()]
    )


def _addressed(address: re.Match[str], devices: list[Device]) -> list[Device]:
    """The devices of the cards that an address means, as ALSA has it: digits are a number and never an id."""
    if usb_id := address["usb"]:
        return [d for d in devices if d.card and d.card.usb_id == usb_id.lower()]
    if port := address["port"]:
        return [d for d in devices if d.card and d.card.port and d.card.port.lower() == port.lower()]
    if address["card"].isdecimal():
        return [d for d in devices if d.numbers and str(d.numbers[0]) == address["card"]]
    return _with_card_id(address["card"], devices)


def _with_card_id(wanted: str, devices: list[Device]) -> list[Device]:
    return [d for d in devices if d.card and d.card.id == wanted] or [
        d for d in devices if d.card and d.card.id.casefold() == wanted.casefold()
    ]


def _first_of_card(devices: list[Device]) -> list[Device]:
    """Of one card's devices the first that can be opened; those of several cards as they are."""
    if len({d.numbers and d.numbers[0] for d in devices}) != 1:
        return devices
    return [min(devices, key=lambda d: (d.index == UNLISTED, d.numbers or ()))]


def _pcm(device: Device) -> str | None:
    return str(device.numbers[1]) if device.numbers else None


def _with_host(device: Device) -> str:
    return f"{device.plain_name}, {device.host}"  # as sounddevice writes it


def _argument(device: Device, devices: list[Device], cards: tuple[alsa.Card, ...]) -> str:
    """The most lasting of the words that find this device and no other."""
    return next((words for words in _arguments(device, cards) if _matching(words, devices) == [device]), device.name)


def _arguments(device: Device, cards: tuple[alsa.Card, ...]) -> Iterator[str]:
    if card := device.card:
        pcm = f",DEV={_pcm(device)}" if len(card.capture) > 1 else ""
        if card.usb_id and [c.usb_id for c in cards].count(card.usb_id) == 1:
            yield f"usb:{card.usb_id}{pcm}"
        if card.port:
            yield f"{card.port}{pcm}"
        if not card.id.isdecimal():  # ALSA would take it for a number
            yield f"hw:CARD={card.id}{pcm}"
    if not device.plain_name.isdecimal():  # an index
        yield device.plain_name
    yield _with_host(device)
    if device.index != UNLISTED:
        yield str(device.index)


def _unopened(wanted: str, device: Device, devices: list[Device], root: Path) -> str:
    address = device.name.removeprefix(device.plain_name).strip(" ()")
    unknown = f"which PortAudio can't open; `arecord -D plug{address} -d 1 /dev/null` says why"
    return f"{wanted} is {device.plain_name!r}, {hindrance(device, devices, root) or unknown}"


def _no_match(wanted: str, everything: list[Device], root: Path) -> EdgeError:
    there = f"there are:\n{_table(everything, root)}" if everything else NOTHING
    if ADDRESS_BEGINS.match(wanted) and not ADDRESS.fullmatch(wanted):
        return EdgeError(f"{wanted!r} is no address of a sound card, which is {ADDRESS_HELP}; {there}")
    mute = [_unlisted(card, 0) for card in alsa.cards(root) if not card.capture]
    if len(meant := _matching(wanted, mute)) == 1:
        return DeviceAbsent(f"{wanted} is {meant[0].plain_name!r}, which has no input; {there}")
    return DeviceAbsent(f"no device matches {wanted!r}; {there}")


def _state(device: Device, root: Path) -> str | None:
    """Why PortAudio doesn't list a device, in few words; None if it does."""
    if device.index != UNLISTED or device.numbers is None:
        return None
    if alsa.forbidden(*device.numbers, root):
        return "not permitted: group audio"
    held = alsa.holder(*device.numbers, root)
    return f"busy: {held.name or 'another program'} ({held.pid})" if held else "can't be opened"


def _table(devices: list[Device], root: Path) -> str:
    rows = [HEADER] + [
        (
            "-" if d.index == UNLISTED else str(d.index),
            d.name,
            d.card.id if d.card else "-",
            (d.card.usb_id if d.card else None) or "-",
            _state(d, root) or " ".join(str(rate) for rate in d.rates or (d.rate,)),
            str(d.channels or "-"),
            d.argument,
        )
        for d in devices
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
