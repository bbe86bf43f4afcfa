"""Names of devices: the devices that a name means, and the name that means the same device after a reboot."""

import re
from collections.abc import Iterator

from edge.audio.microphone import alsa
from edge.audio.microphone.device import PORTAUDIO_ALSA, UNLISTED, Device

# hw:1 and hw:1,0 as arecord writes them, plughw:CARD=Device,DEV=0 as ALSA does, usb:046d:0825, usb-0000:01:00.0-1.3
ADDRESS = re.compile(
    r"(?:(?:plug)?hw:(?:CARD=)?(?P<card>[^,=]+)|usb:(?P<usb>[0-9a-f]{4}:[0-9a-f]{4})|(?P<port>usb-[^,\s]+))"
    r"(?:,(?:DEV=)?(?P<number>[0-9]+))?",
    re.IGNORECASE,
)
ADDRESS_START = re.compile(r"(plug)?hw:|usb:", re.IGNORECASE)


def matching(name: str, devices: list[Device]) -> list[Device]:
    """Devices that a name means; the first rule that any device matches wins.

    Parameters
    ----------
    name
        An index; an address (see `ADDRESS`), which without a device number means the card's first device; the id of a
        card; or a name or part of one. An exact match precedes one that ignores case, and that precedes a part.
    devices
        Devices to choose from, those that PortAudio does not list included.
    """
    if name.isdecimal():
        return [d for d in devices if d.index != UNLISTED and str(d.index) == name]
    if address := ADDRESS.fullmatch(name):
        found = [d for d in _at_address(address, devices) if address["number"] in (None, _number(d))]
        if found or not address["port"]:  # a name may begin with usb-, too
            return _first_of_card(found)
    folded = name.casefold()
    return (
        [d for d in devices if d.name == name]
        or [d for d in devices if folded in (d.name.casefold(), d.plain_name.casefold(), _with_host(d).casefold())]
        or _first_of_card(_with_card_id(name, devices))
        or [d for d in devices if folded in d.plain_name.casefold()]
    )


def invalid_address(name: str) -> bool:
    """True for what begins like an address and is none."""
    return ADDRESS_START.match(name) is not None and not ADDRESS.fullmatch(name)


def lasting_argument(device: Device, devices: list[Device], cards: tuple[alsa.Card, ...]) -> str:
    """The most lasting name that means this device and no other."""
    return next((name for name in _names(device, cards) if matching(name, devices) == [device]), device.name)


def lasting_name(name: str | None, device: Device) -> str | None:
    """The name by which to find a device again after it was unplugged: indexes and card numbers may change.

    Parameters
    ----------
    name
        The user's name for it; None for the default device.
    device
        The device that it meant.
    """
    if name is None:
        return None
    address = ADDRESS.fullmatch(name.strip())
    by_card_number = address and (address["card"] or "").isdecimal()
    if by_card_number or name.strip().isdecimal() or PORTAUDIO_ALSA.search(name.strip()):
        return device.argument
    return name


def _at_address(address: re.Match[str], devices: list[Device]) -> list[Device]:
    """Devices of the cards at an address. Digits are a number and never an id, as in ALSA."""
    if usb_id := address["usb"]:
        return [d for d in devices if d.card and d.card.usb_id == usb_id.lower()]
    if port := address["port"]:
        return [d for d in devices if d.card and d.card.port and d.card.port.lower() == port.lower()]
    if address["card"].isdecimal():
        return [d for d in devices if d.numbers and str(d.numbers[0]) == address["card"]]
    return _with_card_id(address["card"], devices)


def _with_card_id(card_id: str, devices: list[Device]) -> list[Device]:
    return [d for d in devices if d.card and d.card.id == card_id] or [
        d for d in devices if d.card and d.card.id.casefold() == card_id.casefold()
    ]


def _first_of_card(devices: list[Device]) -> list[Device]:
    """The first device that can be opened if they are of one card; otherwise all of them."""
    if len({d.numbers and d.numbers[0] for d in devices}) != 1:
        return devices
    return [min(devices, key=lambda d: (d.index == UNLISTED, d.numbers or ()))]


def _number(device: Device) -> str | None:
    return str(device.numbers[1]) if device.numbers else None


def _with_host(device: Device) -> str:
    return f"{device.plain_name}, {device.host}"  # as sounddevice writes it


def _names(device: Device, cards: tuple[alsa.Card, ...]) -> Iterator[str]:
    """Names of a device, the most lasting first."""
    if card := device.card:
        number = f",DEV={_number(device)}" if len(card.capture) > 1 else ""
        if card.usb_id and [c.usb_id for c in cards].count(card.usb_id) == 1:
            yield f"usb:{card.usb_id}{number}"
        if card.port:
            yield f"{card.port}{number}"
        if not card.id.isdecimal():  # ALSA would read it as a number
            yield f"hw:CARD={card.id}{number}"
    if not device.plain_name.isdecimal():  # it would be an index
        yield device.plain_name
    yield _with_host(device)
    if device.index != UNLISTED:
        yield str(device.index)
