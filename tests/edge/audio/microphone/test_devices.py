"""The list of input devices, as text and as JSON."""

import json
import os
import pickle
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from helpers.sound_cards import DONGLE, HAT, PULSE, WEBCAM, hold, listed, plug

from edge.audio.microphone.device import Device
from edge.audio.microphone.devices import listing, listing_json
from edge.strict_dataclass import build


def test_the_listing_is_a_table(tmp_path: Path) -> None:
    plug(tmp_path, (replace(DONGLE, name="Dongle"), replace(HAT, id="hat", name="hat"), WEBCAM))
    hold(tmp_path, 10, 0, "arecord")
    assert listing(listed(tmp_path, busy=((10, 0),)), tmp_path).splitlines() == [
        "index  name                          card    USB        rates                channels  --device",
        "0      Dongle: USB Audio (hw:1,0)    Device  0d8c:013c  48000                1         usb:0d8c:013c",
        "1      hat: USB Audio (hw:3,0)       hat     -          48000                1         hw:CARD=hat,DEV=0",
        "2      hat: USB Audio (hw:3,1)       hat     -          48000                1         hw:CARD=hat,DEV=1",
        "8      pulse                         -       -          44100                32        pulse",
        "9      default                       -       -          44100                32        default",
        "-      HD Pro Webcam C920 (hw:10,0)  C920    046d:0892  busy: arecord (412)  -         usb:046d:0892",
    ]


def test_the_listing_shows_the_accepted_rates(root: Path) -> None:
    assert "16000 48000" in listing([replace(PULSE, rates=(16_000, 48_000))], root)


def test_an_empty_listing_says_what_to_try(tmp_path: Path) -> None:
    assert "is the microphone plugged in" in listing([], tmp_path)


def test_the_json_listing_has_the_same_facts(root: Path) -> None:
    devices = [replace(d, rates=(48_000,)) for d in listed(root)]
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


def test_the_json_listing_shows_a_busy_device(root: Path) -> None:
    hold(root, 10, 0, "pipewire")
    last = listing_json(listed(root, busy=((10, 0),)), root)[-1]
    assert (last["index"], last["argument"], last["state"]) == (None, "usb:046d:0892", "busy: pipewire (412)")


def test_a_device_survives_json(root: Path) -> None:
    device = replace(listed(root)[0], rates=(16_000, 48_000))
    assert build(Device, json.loads(json.dumps(asdict(device))), "a device") == device


def test_a_device_survives_pickling(root: Path) -> None:
    assert pickle.loads(pickle.dumps(listed(root))) == listed(root)


@pytest.mark.microphone
def test_devices_and_rates_come_from_portaudio(tmp_path: Path) -> None:
    (tmp_path / ".asoundrc").write_text('pcm.mic { type null hint { show on description "nothing" } }')
    program = "import edge.audio.microphone.devices as d, json; "
    program += "print(json.dumps(d.listing_json(d.input_devices(probe=True))))"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, check=True
    )
    mic = next(device for device in json.loads(done.stdout) if device["name"] == "mic")
    assert (mic["host"], mic["argument"], 16_000 in mic["rates"]) == ("ALSA", "mic", True)
