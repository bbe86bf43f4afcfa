"""Sound cards of a Raspberry Pi in a copy of its /proc, and the devices that PortAudio makes of them."""

from dataclasses import replace
from pathlib import Path

from edge.audio.microphone.alsa import Card, cards
from edge.audio.microphone.device import UNLISTED, Device
from edge.audio.microphone.devices import with_cards

HEADPHONES = Card(0, "Headphones", "bcm2835 Headphones")
DONGLE = Card(1, "Device", "USB PnP Sound Device", "0d8c:013c", "usb-0000:01:00.0-1.3", (0,))
TWIN = replace(DONGLE, number=4, id="Device_1", port="usb-0000:01:00.0-1.4")
HDMI = Card(2, "vc4hdmi0", "vc4-hdmi-0")
HAT = Card(3, "sndrpihat", "snd_rpi_hat", capture=(0, 1))
WEBCAM = Card(10, "C920", "HD Pro Webcam C920", "046d:0892", "usb-0000:01:00.0-1.1", (0,))
PULSE = Device(8, "pulse", "ALSA", 32, 44_100)
DEFAULT = Device(9, "default", "ALSA", 32, 44_100)
MACHINE = (HEADPHONES, DONGLE, HDMI, HAT, WEBCAM)


def plug(root: Path, present: tuple[Card, ...]) -> Path:
    """Write the kernel's files about these cards."""
    asound = root / "proc/asound"
    asound.mkdir(parents=True)
    lines = []
    for card in present:
        driver = "USB-Audio" if card.usb_id else "RPi-simple"
        at = f" at {card.port}, full speed" if card.port else ""
        lines += [f"{card.number:2} [{card.id:15}]: {driver} - {card.name}", f"{'':22}{card.name}{at}"]
        folder = asound / f"card{card.number}"
        folder.mkdir()
        if card.usb_id:
            (folder / "usbid").write_text(f"{card.usb_id}\n")
        for number in card.capture:
            (folder / f"pcm{number}c/sub0").mkdir(parents=True)
            (folder / f"pcm{number}c/sub0/status").write_text("closed\n")
    (asound / "cards").write_text("".join(f"{line}\n" for line in lines) or "--- no soundcards ---\n")
    return root


def hold(root: Path, card: int, number: int, name: str, pid: int = 412) -> None:
    """Write the kernel's files about a process that records from a device."""
    status = f"state: RUNNING\nowner_pid   : {pid}\ntrigger_time: 412.703814206\n"
    (root / f"proc/asound/card{card}/pcm{number}c/sub0/status").write_text(status)
    (root / f"proc/{pid}").mkdir(exist_ok=True)
    (root / f"proc/{pid}/status").write_text(f"Name:\t{name}\nTgid:\t{pid}\n")
    (root / f"proc/{pid}/comm").write_text(f"{name}\n")


def listed(
    root: Path, busy: tuple[tuple[int, int], ...] = (), virtual: tuple[Device, ...] = (PULSE, DEFAULT)
) -> list[Device]:
    """The result of `input_devices` for these cards: PortAudio names hardware like this, and omits what is busy."""
    present = cards(root)
    hardware = [(card, number) for card in present for number in card.capture if (card.number, number) not in busy]
    named = [
        Device(index, f"{card.name}: USB Audio (hw:{card.number},{number})", "ALSA", 1, 48_000)
        for index, (card, number) in enumerate(hardware)
    ]
    return [d for d in with_cards([*named, *virtual], present) if d.index != UNLISTED]
