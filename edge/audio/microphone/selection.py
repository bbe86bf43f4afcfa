"""Selection of the one device that a user means, or the reason why there is none."""

from pathlib import Path

from edge.audio.microphone import alsa
from edge.audio.microphone.device import UNLISTED, Device, DeviceAbsent, DeviceError, blocker, unlisted_device
from edge.audio.microphone.devices import NO_DEVICE, table, with_unlisted
from edge.audio.microphone.naming import invalid_address, matching

ADDRESS_FORMS = "hw:CARD, hw:CARD,DEVICE or usb:VENDOR:PRODUCT (in hex)"


def find_device(name: str | None, devices: list[Device], default: int, root: Path = alsa.ROOT) -> Device:
    """Find the device that a user means.

    Parameters
    ----------
    name
        Index, address, card or name, as `edge.audio.microphone.naming.matching` reads it; None for the default device.
    devices
        Devices of PortAudio.
    default
        Index of the default device; the first device is taken if there is none with it.
    root
        Folder above /proc and /dev.

    Raises
    ------
    DeviceAbsent
        If no device matches, or the one that matches can't be opened now.
    DeviceError
        If several devices match or the address is invalid.
    """
    everything = with_unlisted(devices, root)
    if name is None:
        if devices:
            return next((d for d in devices if d.index == default), devices[0])
        blocked = [_describe_blocked("the microphone", d, devices, root) for d in everything]
        raise DeviceAbsent("; ".join(blocked) or NO_DEVICE)
    name = name.strip()
    found = matching(name, everything)
    if not found:
        raise _no_match(name, everything, root)
    if len(found) > 1:
        raise DeviceError(
            f"several devices match {name!r}; choose one: {', '.join(d.argument for d in found)}",
            f"several devices match {name!r}; choose one with --device:\n{table(found, root)}",
        )
    if found[0].index == UNLISTED:
        raise DeviceAbsent(_describe_blocked(name, found[0], devices, root))
    return found[0]


def _describe_blocked(name: str, device: Device, devices: list[Device], root: Path) -> str:
    address = device.name.removeprefix(device.plain_name).strip(" ()")
    unknown = f"which PortAudio can't open; `arecord -D plug{address} -d 1 /dev/null` shows the reason"
    return f"{name} is {device.plain_name!r}, {blocker(device, devices, root) or unknown}"


def _no_match(name: str, everything: list[Device], root: Path) -> DeviceError:
    without_input = [unlisted_device(card, 0) for card in alsa.cards(root) if not card.capture]
    kind: type[DeviceError] = DeviceAbsent
    if invalid_address(name):
        kind, sentence = DeviceError, f"invalid device address {name!r}: expected {ADDRESS_FORMS}"
    elif len(found := matching(name, without_input)) == 1:
        sentence = f"{name} is {found[0].plain_name!r}, which has no input"
    else:
        sentence = f"no device matches {name!r}"
    if not everything:
        return kind(f"{sentence}; {NO_DEVICE}")
    return kind(sentence, f"{sentence}; available devices:\n{table(everything, root)}")
