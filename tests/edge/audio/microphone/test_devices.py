"""Cards as a Raspberry Pi has them, in a copy of its /proc, beside what PortAudio makes of them."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.audio.microphone.alsa import Card, cards
from edge.audio.microphone.devices import UNLISTED, Device, DeviceAbsent, find_device, joined, lasting, listing, listing_json
from edge.errors import EdgeError
from edge.strict_dataclass import build

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
    """Write what the kernel shows of these cards."""
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
        for pcm in card.capture:
            (folder / f"pcm{pcm}c/sub0").mkdir(parents=True)
            (folder / f"pcm{pcm}c/sub0/status").write_text("closed\n")
    (asound / "cards").write_text("".join(f"{line}\n" for line in lines) or "--- no soundcards ---\n")
    return root


def hold(root: Path, card: int, pcm: int, name: str, pid: int = 412) -> None:
    """Let a process record from a device."""
    status = f"state: RUNNING\nowner_pid   : {pid}\ntrigger_time: 412.703814206\n"
    (root / f"proc/asound/card{card}/pcm{pcm}c/sub0/status").write_text(status)
    (root / f"proc/{pid}").mkdir(exist_ok=True)
    (root / f"proc/{pid}/status").write_text(f"Name:\t{name}\nTgid:\t{pid}\n")
    (root / f"proc/{pid}/comm").write_text(f"{name}\n")


def seen(
    root: Path, busy: tuple[tuple[int, int], ...] = (), virtual: tuple[Device, ...] = (PULSE, DEFAULT)
) -> list[Device]:
    """What `input_devices` makes of the cards: PortAudio names hardware so, and leaves out what is busy."""
    present = cards(root)
    hardware = [(card, pcm) for card in present for pcm in card.capture if (card.number, pcm) not in busy]
    named = [
        Device(index, f"{card.name}: USB Audio (hw:{card.number},{pcm})", "ALSA", 1, 48_000)
        for index, (card, pcm) in enumerate(hardware)
    ]
    return [d for d in joined([*named, *virtual], present) if d.index != UNLISTED]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return plug(tmp_path, MACHINE)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("hw:1", "(hw:1,0)"),
        ("hw:1,0", "(hw:1,0)"),
        ("plughw:1", "(hw:1,0)"),
        ("hw:10", "(hw:10,0)"),
        ("hw:3", "(hw:3,0)"),
        ("hw:3,1", "(hw:3,1)"),
        ("hw:CARD=Device", "(hw:1,0)"),
        ("plughw:CARD=sndrpihat,DEV=1", "(hw:3,1)"),
        ("hw:device", "(hw:1,0)"),
        ("hw:Device,0", "(hw:1,0)"),
        ("Device", "(hw:1,0)"),
        ("c920", "(hw:10,0)"),
        ("usb:046d:0892", "(hw:10,0)"),
        ("USB:046D:0892", "(hw:10,0)"),
        ("usb-0000:01:00.0-1.1", "(hw:10,0)"),
        ("webcam", "(hw:10,0)"),
        ("USB PnP Sound Device: USB Audio", "(hw:1,0)"),
        ("USB PnP Sound Device: USB Audio (hw:1,0)", "(hw:1,0)"),
        ("0", "(hw:1,0)"),
        ("PULSE", "pulse"),
        ("pulse, ALSA", "pulse"),
        (" pulse ", "pulse"),
    ],
)
def test_a_device_is_found_by_what_a_person_writes(root: Path, wanted: str, name: str) -> None:
    assert find_device(wanted, seen(root), 9, root).name.endswith(name)


def test_nothing_wanted_is_the_default(root: Path) -> None:
    assert find_device(None, seen(root), 9, root).name == "default"


def test_without_default_the_first_device_is_meant(root: Path) -> None:
    assert find_device(None, seen(root), -1, root).index == 0


@pytest.mark.parametrize("wanted", ["hw:2", "hw:1"])
def test_card_numbers_need_no_proc(tmp_path: Path, wanted: str) -> None:
    """Docker hides /proc/asound."""
    devices = [replace(DEFAULT, name=f"Microphone: USB Audio ({wanted},0)"), replace(PULSE, name="Other (hw:12,0)")]
    assert find_device(wanted, devices, 9, tmp_path) == devices[0]


@pytest.mark.parametrize("wanted", ["hw:7", "hw:1,1", "99", "no such thing", "usb:046d:0001", "usb-0000:01:00.0-1"])
def test_no_match_lists_what_there_is(root: Path, wanted: str) -> None:
    with pytest.raises(DeviceAbsent, match="no device matches") as caught:
        find_device(wanted, seen(root), 9, root)
    assert all(device.name in str(caught.value) for device in seen(root))


@pytest.mark.parametrize("wanted", ["hw:", "hw:1,x", "plughw:CARD=", "usb:046d", "usb:logitech"])
def test_an_address_of_a_wrong_form_is_nothing_to_wait_for(root: Path, wanted: str) -> None:
    with pytest.raises(EdgeError, match="is no address of a sound card") as caught:
        find_device(wanted, seen(root), 9, root)
    assert not isinstance(caught.value, DeviceAbsent)


def test_several_matches_are_listed(root: Path) -> None:
    with pytest.raises(EdgeError, match="several devices match 'usb audio'") as caught:
        find_device("usb audio", seen(root), 9, root)
    assert "usb:046d:0892" in str(caught.value)
    assert "pulse" not in str(caught.value)


def test_several_matches_are_nothing_to_wait_for(root: Path) -> None:
    with pytest.raises(EdgeError) as caught:
        find_device("usb audio", seen(root), 9, root)
    assert not isinstance(caught.value, DeviceAbsent)


def test_the_usb_id_of_two_microphones_means_several(tmp_path: Path) -> None:
    plug(tmp_path, (DONGLE, TWIN))
    with pytest.raises(EdgeError, match="several devices match"):
        find_device("usb:0d8c:013c", seen(tmp_path), 9, tmp_path)


def test_the_usb_id_of_two_microphones_means_several_while_one_is_busy(tmp_path: Path) -> None:
    plug(tmp_path, (DONGLE, TWIN))
    with pytest.raises(EdgeError, match="several devices match"):
        find_device("usb:0d8c:013c", seen(tmp_path, busy=((4, 0),)), 9, tmp_path)


def test_a_card_id_beats_the_part_of_another(tmp_path: Path) -> None:
    plug(tmp_path, (DONGLE, TWIN))
    assert find_device("Device", seen(tmp_path), 9, tmp_path).card == DONGLE


def test_a_card_id_may_differ_in_case_only(tmp_path: Path) -> None:
    lower = replace(TWIN, id="device")
    plug(tmp_path, (DONGLE, lower))
    assert find_device("hw:device", seen(tmp_path), 9, tmp_path).card == lower


def test_digits_are_a_card_number_even_if_a_card_has_them_as_id(tmp_path: Path) -> None:
    """As ALSA itself reads hw:CARD=10."""
    plug(tmp_path, (replace(DONGLE, id="10"), WEBCAM))
    assert find_device("hw:CARD=10", seen(tmp_path), 9, tmp_path).card == WEBCAM


def test_a_virtual_device_beats_a_card_of_that_id(tmp_path: Path) -> None:
    plug(tmp_path, (DONGLE, replace(TWIN, id="pulse")))
    assert find_device("pulse", seen(tmp_path), 9, tmp_path).name == "pulse"


def test_a_card_without_input_is_said_to_have_none(root: Path) -> None:
    with pytest.raises(DeviceAbsent, match="hw:0 is 'bcm2835 Headphones', which has no input"):
        find_device("hw:0", seen(root), 9, root)


def test_of_a_busy_card_the_free_device_is_taken(root: Path) -> None:
    assert find_device("hw:3", seen(root, busy=((3, 0),)), 9, root).numbers == (3, 1)


def test_a_machine_without_microphone_is_told_what_to_try(tmp_path: Path) -> None:
    with pytest.raises(DeviceAbsent, match="is the microphone plugged in"):
        find_device(None, [], -1, tmp_path)


@pytest.mark.parametrize("wanted", ["hw:1", "usb:0d8c:013c", "PnP", "usb-0000:01:00.0-1.3"])
def test_a_busy_card_says_who_uses_it(root: Path, wanted: str) -> None:
    hold(root, 1, 0, "pulseaudio")
    with pytest.raises(
        DeviceAbsent, match=r"is 'USB PnP Sound Device', which pulseaudio \(process 412\) is using; stop it"
    ):
        find_device(wanted, seen(root, busy=((1, 0),)), 9, root)


@pytest.mark.parametrize("server", ["pulseaudio", "pipewire", "wireplumber"])
def test_a_sound_server_that_is_listed_is_the_way_round(root: Path, server: str) -> None:
    hold(root, 1, 0, server)
    with pytest.raises(DeviceAbsent, match=r", or listen through it with --device pulse$"):
        find_device("hw:1", seen(root, busy=((1, 0),)), 9, root)


def test_a_sound_server_that_is_not_listed_is_no_way_round(root: Path) -> None:
    hold(root, 1, 0, "pulseaudio")
    with pytest.raises(DeviceAbsent, match=r"is using; stop it$"):
        find_device("hw:1", seen(root, busy=((1, 0),), virtual=(DEFAULT,)), 9, root)


def test_another_recorder_is_no_way_round(root: Path) -> None:
    hold(root, 1, 0, "arecord")
    with pytest.raises(DeviceAbsent, match=r"which arecord \(process 412\) is using; stop it$"):
        find_device("hw:1", seen(root, busy=((1, 0),)), 9, root)


def test_a_card_that_cannot_be_opened_for_an_unknown_reason_says_how_to_look(root: Path) -> None:
    with pytest.raises(DeviceAbsent, match="arecord -D plughw:1,0"):
        find_device("hw:1", seen(root, busy=((1, 0),)), 9, root)


def test_the_only_microphone_being_busy_is_said_without_asking_for_it(tmp_path: Path) -> None:
    hold(plug(tmp_path, (DONGLE,)), 1, 0, "arecord")
    with pytest.raises(DeviceAbsent, match="the microphone is 'USB PnP Sound Device', which arecord"):
        find_device(None, [], -1, tmp_path)


def test_a_card_without_permission_tells_the_group() -> None:
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        root = plug(Path(folder), (DONGLE,))
        node = root / "dev/snd/pcmC1D0c"
        node.parent.mkdir(parents=True)
        node.touch(0)
        root.chmod(0o755)
        if user == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(DeviceAbsent, match="sudo usermod -aG audio"):
                find_device("hw:1", [], -1, root)
        finally:
            os.seteuid(user)


@pytest.mark.parametrize(
    ("present", "arguments"),
    [
        (MACHINE, ["usb:0d8c:013c", "hw:CARD=sndrpihat,DEV=0", "hw:CARD=sndrpihat,DEV=1", "usb:046d:0892"]),
        ((DONGLE, TWIN), ["usb-0000:01:00.0-1.3", "usb-0000:01:00.0-1.4"]),
        ((replace(DONGLE, capture=(0, 1)),), ["usb:0d8c:013c,DEV=0", "usb:0d8c:013c,DEV=1"]),
        ((replace(DONGLE, usb_id=None, port=None, id="1"),), ["USB PnP Sound Device: USB Audio"]),
    ],
)
def test_the_argument_is_what_lasts_longest(tmp_path: Path, present: tuple[Card, ...], arguments: list[str]) -> None:
    plug(tmp_path, present)
    assert [d.argument for d in seen(tmp_path)] == [*arguments, "pulse", "default"]


def test_the_argument_counts_a_busy_twin(tmp_path: Path) -> None:
    plug(tmp_path, (DONGLE, TWIN))
    assert seen(tmp_path, busy=((4, 0),))[0].argument == "usb-0000:01:00.0-1.3"


@pytest.mark.parametrize("wanted", ["0", "hw:1", "plughw:1,0", "hw:CARD=1", "USB PnP Sound Device: USB Audio (hw:1,0)"])
def test_what_belongs_to_this_boot_does_not_last(root: Path, wanted: str) -> None:
    assert lasting(wanted, find_device(wanted, seen(root), 9, root)) == "usb:0d8c:013c"


@pytest.mark.parametrize("wanted", [None, "usb:0d8c:013c", "hw:CARD=Device", "Device", "usb-0000:01:00.0-1.3", "PnP"])
def test_everything_else_lasts(root: Path, wanted: str | None) -> None:
    assert lasting(wanted, seen(root)[0]) == wanted


def test_the_listing_is_a_table(tmp_path: Path) -> None:
    plug(tmp_path, (replace(DONGLE, name="Dongle"), replace(HAT, id="hat", name="hat"), WEBCAM))
    hold(tmp_path, 10, 0, "arecord")
    assert listing(seen(tmp_path, busy=((10, 0),)), tmp_path).splitlines() == [
        "index  name                          card    USB        rates                channels  --device",
        "0      Dongle: USB Audio (hw:1,0)    Device  0d8c:013c  48000                1         usb:0d8c:013c",
        "1      hat: USB Audio (hw:3,0)       hat     -          48000                1         hw:CARD=hat,DEV=0",
        "2      hat: USB Audio (hw:3,1)       hat     -          48000                1         hw:CARD=hat,DEV=1",
        "8      pulse                         -       -          44100                32        pulse",
        "9      default                       -       -          44100                32        default",
        "-      HD Pro Webcam C920 (hw:10,0)  C920    046d:0892  busy: arecord (412)  -         usb:046d:0892",
    ]


def test_the_listing_shows_the_rates_that_were_asked_for(root: Path) -> None:
    assert "16000 48000" in listing([replace(PULSE, rates=(16_000, 48_000))], root)


def test_the_listing_of_nothing_tells_what_to_try(tmp_path: Path) -> None:
    assert "is the microphone plugged in" in listing([], tmp_path)


def test_the_listing_as_json_has_the_same_facts(root: Path) -> None:
    devices = [replace(d, rates=(48_000,)) for d in seen(root)]
    assert json.loads(json.dumps(listing_json(devices, root)))[0] == {
        "index": 0,
        "name": "USB PnP Sound Device: USB Audio (hw:1,0)",
        "host": "ALSA",
        "card": "Device",
        "usb": "0d8c:013c",
        "port": "usb-0000:01:00.0-1.3",
        "rate": 48_000,
        "rates": [48_000],
        "channels": 1,
        "argument": "usb:0d8c:013c",
        "state": None,
    }


def test_the_listing_as_json_tells_what_is_busy(root: Path) -> None:
    hold(root, 10, 0, "pipewire")
    last = listing_json(seen(root, busy=((10, 0),)), root)[-1]
    assert (last["index"], last["argument"], last["state"]) == (None, "usb:046d:0892", "busy: pipewire (412)")


def test_a_device_survives_json(root: Path) -> None:
    device = replace(seen(root)[0], rates=(16_000, 48_000))
    assert build(Device, json.loads(json.dumps(asdict(device))), "a device") == device


def test_a_device_survives_pickling(root: Path) -> None:
    assert pickle.loads(pickle.dumps(seen(root))) == seen(root)


def test_portaudio_is_asked_for_devices_and_rates(tmp_path: Path) -> None:
    (tmp_path / ".asoundrc").write_text('pcm.mic { type null hint { show on description "nothing" } }')
    program = "import edge.audio.microphone.devices as d, json; print(json.dumps(d.listing_json(d.input_devices(probe=True))))"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, check=True
    )
    mic = next(device for device in json.loads(done.stdout) if device["name"] == "mic")
    assert (mic["host"], mic["argument"], 16_000 in mic["rates"]) == ("ALSA", "mic", True)


@dataclass(frozen=True)
class Thing:
    """A card as it lies on the table: its number and, if it is USB, its id come with a boot."""

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
    """A start of the machine, with what is in each place this time."""

    root: Path
    devices: list[Device]
    numbers: dict[int, Thing]

    def place(self, device: Device) -> Place:
        if device.numbers is None:
            return device.name
        return self.numbers[device.numbers[0]], device.numbers[1]


def boot(folder: str, things: list[Thing], virtual: list[str], data: st.DataObject) -> Boot:
    """Number the cards as they happen to come, give doubled ids a suffix as the kernel does, and let some be busy."""
    numbers = data.draw(st.permutations(range(12)))
    fixed = {thing.base_id for thing in things if thing.usb_id is None}  # nothing else is called so
    present: dict[Card, Thing] = {}
    for number, thing in zip(numbers, data.draw(st.permutations(things)), strict=False):
        ids = [thing.base_id, *(f"{thing.base_id}_{i}" for i in range(1, 9))]
        taken = {card.id for card in present} | (fixed if thing.usb_id else set())
        card_id = next(i for i in ids if i not in taken)
        present[Card(number, card_id, thing.name, thing.usb_id, thing.port, thing.capture)] = thing
    root = plug(Path(folder), tuple(sorted(present, key=lambda card: card.number)))
    pcms = [(card.number, pcm) for card in present for pcm in card.capture]
    busy = data.draw(st.sets(st.sampled_from(pcms))) if pcms else set()
    listed = seen(root, tuple(busy), tuple(Device(0, name, "ALSA", 2, 48_000) for name in virtual))
    indexes = data.draw(st.permutations(range(len(listed))))
    renumbered = [replace(d, index=index) for d, index in zip(listed, indexes, strict=True)]
    devices = [d for d in joined(renumbered, cards(root)) if d.index != UNLISTED]
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
def test_any_words_find_a_device_or_are_answered(
    things: list[Thing], virtual: list[str], wanted: str, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        now = boot(folder, things, virtual, data)
        try:
            assert find_device(wanted, now.devices, -1, now.root) in now.devices
        except EdgeError as error:
            assert str(error)
