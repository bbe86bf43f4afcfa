"""Names of devices on random machines that are started twice."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from helpers.sound_cards import listed, plug
from hypothesis import given
from hypothesis import strategies as st

from edge.audio.microphone.alsa import Card, cards
from edge.audio.microphone.device import UNLISTED, Device, DeviceAbsent
from edge.audio.microphone.devices import with_cards
from edge.audio.microphone.selection import find_device
from edge.errors import EdgeError


@dataclass(frozen=True)
class Thing:
    """A sound card before it is plugged in: its number and, if it is USB, its id are set with each start."""

    base_id: str
    name: str
    usb_id: str | None
    port: str | None
    capture: tuple[int, ...]


Place = tuple[Thing, int] | str  # a card's device, or the name of a virtual one

USB_THINGS = st.builds(
    Thing,
    st.sampled_from(["Device", "device", "Dev", "C920", "Mic", "D1", "10"]),
    st.sampled_from(["USB PnP Sound Device", "USB Audio", "Mic", "1", "hw:1", "usb-1"]),
    st.sampled_from(["0d8c:013c", "046d:0892", "0d8c:0014"]),
    st.sampled_from([f"usb-0000:01:00.0-1.{port}" for port in (1, 2, 10, 11, "1.1", "1.2")]),
    st.sampled_from([(), (0,), (0, 1), (2,), (1, 10)]),
)
HATS = st.builds(
    Thing,
    st.sampled_from(["sndrpihat", "Loopback", "Loop", "hat", "HAT"]),
    st.sampled_from(["snd_rpi_hat", "Loopback", "Mic", "1", "pulse"]),
    st.none(),
    st.none(),
    st.sampled_from([(), (0,), (0, 1), (1, 10)]),
)
THINGS = st.tuples(
    st.lists(USB_THINGS, max_size=5, unique_by=lambda thing: thing.port),
    st.lists(HATS, max_size=2, unique_by=lambda thing: thing.base_id),
).map(lambda kinds: [*kinds[0], *kinds[1]])
VIRTUAL = st.lists(st.sampled_from(["pulse", "default", "mic", "Mic", "Device", "usb-mic", "hw", "7"]), unique=True)


@dataclass(frozen=True)
class Boot:
    """One start of the machine: its devices, and the card with each number."""

    root: Path
    devices: list[Device]
    numbers: dict[int, Thing]

    def place(self, device: Device) -> Place:
        """The microphone behind a device."""
        if device.numbers is None:
            return device.name
        return self.numbers[device.numbers[0]], device.numbers[1]


def boot(folder: str, things: list[Thing], virtual: list[str], data: st.DataObject) -> Boot:
    """Number the cards at random, add a suffix to a second id as the kernel does, and let some devices be busy."""
    numbers = data.draw(st.permutations(range(12)))
    fixed = {thing.base_id for thing in things if thing.usb_id is None}  # no other card has these ids
    present: dict[Card, Thing] = {}
    for number, thing in zip(numbers, data.draw(st.permutations(things)), strict=False):
        ids = [thing.base_id, *(f"{thing.base_id}_{i}" for i in range(1, 9))]
        taken = {card.id for card in present} | (fixed if thing.usb_id else set())
        card_id = next(i for i in ids if i not in taken)
        present[Card(number, card_id, thing.name, thing.usb_id, thing.port, thing.capture)] = thing
    root = plug(Path(folder), tuple(sorted(present, key=lambda card: card.number)))
    captures = [(card.number, number) for card in present for number in card.capture]
    busy = data.draw(st.sets(st.sampled_from(captures))) if captures else set()
    found = listed(root, tuple(busy), tuple(Device(0, name, "ALSA", 2, 48_000) for name in virtual))
    indexes = data.draw(st.permutations(range(len(found))))
    renumbered = [replace(d, index=index) for d, index in zip(found, indexes, strict=True)]
    devices = [d for d in with_cards(renumbered, cards(root)) if d.index != UNLISTED]
    return Boot(root, devices, {card.number: thing for card, thing in present.items()})


@given(THINGS, VIRTUAL, st.data())
def test_every_device_is_found_by_its_argument(things: list[Thing], virtual: list[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        now = boot(folder, things, virtual, data)
        for device in now.devices:
            assert find_device(device.argument, now.devices, -1, now.root) == device


@given(THINGS, VIRTUAL, st.data())
def test_an_argument_finds_the_same_microphone_after_a_reboot(
    things: list[Thing], virtual: list[str], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as later_folder:
        now, later = boot(folder, things, virtual, data), boot(later_folder, things, virtual, data)
        there = {later.place(device) for device in later.devices}
        for device in now.devices:
            if now.place(device) in there:
                assert later.place(find_device(device.argument, later.devices, -1, later.root)) == now.place(device)
            else:
                with pytest.raises(DeviceAbsent):
                    find_device(device.argument, later.devices, -1, later.root)


@given(THINGS, VIRTUAL, st.integers(0, 120), st.data())
def test_a_card_number_never_means_another_card(
    things: list[Thing], virtual: list[str], number: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        now = boot(folder, things, virtual, data)
        try:
            found = find_device(f"hw:{number}", now.devices, -1, now.root)
        except DeviceAbsent:
            assert number not in {d.numbers[0] for d in now.devices if d.numbers}
        else:
            assert found.numbers is not None
            assert found.numbers[0] == number


@given(THINGS, VIRTUAL, st.text(), st.data())
def test_any_name_finds_a_device_or_raises_an_edge_error(
    things: list[Thing], virtual: list[str], name: str, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        now = boot(folder, things, virtual, data)
        try:
            assert find_device(name, now.devices, -1, now.root) in now.devices
        except EdgeError as error:
            assert str(error)
