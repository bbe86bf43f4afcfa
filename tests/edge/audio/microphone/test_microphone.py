"""A real PortAudio stream: PulseAudio's null sink is the microphone, and paplay plays into it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile
from helpers.support import one_sentence, synthesise
from helpers.virtual_microphone import VirtualMicrophone

from edge.decision import MUTED

pytestmark = pytest.mark.microphone


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    """Twenty seconds at 44.1 kHz, stereo: neither the sink's rate nor the model's."""
    path = tmp_path / "tune.wav"
    soundfile.write(path, synthesise(20.0, 44_100, 2), 44_100)
    return path


@pytest.mark.slow
def test_what_is_played_is_heard(server: VirtualMicrophone, tune: Path) -> None:
    with server.playing(tune):
        time.sleep(0.5)
        done = server.listen("--device", "mic", "--json", "--duration", "8")
    assert done.returncode == 0, done.stderr
    live = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(live) == pytest.approx(17, abs=2)  # some audio may have been dropped on a busy machine
    assert live[-1]["t"] == pytest.approx(8.0, abs=0.5)
    from_file = json.loads(server.listen(str(tune), "--json").stdout.splitlines()[-1])
    assert live[-1]["top"][0][0] == from_file["top"][0][0]
    assert live[-1]["state"] == from_file["state"]


@pytest.mark.slow
def test_a_muted_microphone_is_silent_with_a_note(server: VirtualMicrophone) -> None:
    done = server.listen("--device", "mic", "--json", "--duration", "7")
    assert done.returncode == 0, done.stderr
    *_, last, _ = [json.loads(line) for line in done.stdout.splitlines()]
    assert (last["state"], last["note"]) == ("silence", MUTED)


def test_one_channel_is_heard_alone(server: VirtualMicrophone) -> None:
    assert server.listen("--device", "mic", "--channel", "2", "--json", "--duration", "1").returncode == 0


def test_the_error_for_a_missing_channel_is_one_sentence(server: VirtualMicrophone) -> None:
    done = server.listen("--device", "mic", "--channel", "100")
    assert done.returncode == 1
    assert "no channel 100" in one_sentence(done)


def test_an_ambiguous_name_is_an_error_even_with_wait(server: VirtualMicrophone) -> None:
    server.name_devices("mic-one", "mic-two")
    try:
        done = server.listen("--device", "mic", "--wait")
    finally:
        server.name_devices("mic")
    assert done.returncode == 1
    assert "several devices match 'mic'" in one_sentence(done)


def test_the_devices_are_listed(server: VirtualMicrophone) -> None:
    done = server.listen("--list-devices")
    assert done.returncode == 0
    assert any("mic" in line.split() for line in done.stdout.splitlines())


def test_the_devices_are_listed_as_json(server: VirtualMicrophone) -> None:
    done = server.listen("--list-devices", "--json")
    devices = [json.loads(line) for line in done.stdout.splitlines()]
    (microphone,) = [device for device in devices if device["argument"] == "mic"]
    assert {44_100, 48_000} <= set(microphone["rates"])


def test_the_error_for_an_unknown_device_lists_the_available_ones(server: VirtualMicrophone) -> None:
    done = server.listen("--device", "hw:7")
    assert done.returncode == 1
    message = one_sentence(done)
    assert "no device matches 'hw:7'" in message
    assert "mic" in message


def test_the_error_for_a_device_that_cannot_be_opened_is_one_sentence(server: VirtualMicrophone) -> None:
    server.unplug()
    try:
        done = server.listen("--device", "mic")
    finally:
        server.plug_in()
    assert done.returncode == 1
    assert "can't open 'mic': Input/output error" in one_sentence(done)


def test_without_a_sound_server_its_devices_are_missing(server: VirtualMicrophone) -> None:
    done = server.listen("--device", "mic", PULSE_SERVER="unix:/nowhere")
    assert done.returncode == 1
    assert "no device matches 'mic'" in one_sentence(done)


def test_the_error_for_a_damaged_alsa_configuration_is_one_sentence(server: VirtualMicrophone) -> None:
    server.configure("pcm.mic {")
    try:
        done = server.listen("--device", "mic")
    finally:
        server.name_devices("mic")
    assert done.returncode == 1
    assert "ALSA's configuration" in one_sentence(done)


def test_check_tries_the_microphone(server: VirtualMicrophone) -> None:
    done = server.listen("--check", "--device", "mic")
    assert done.returncode == 0, done.stderr
    assert "source: mic, 44100 Hz, exact zeros: is it muted?" in done.stdout
    assert "model: edge" in done.stdout


def test_check_reports_every_problem(server: VirtualMicrophone) -> None:
    done = server.listen("--check", "--device", "none", "--model", "none.tflite")
    assert done.returncode == 1
    assert "error: model: none.tflite" in done.stderr
    assert "error: source: no device matches 'none'" in done.stderr


def test_the_error_without_portaudio_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import ctypes.util\nctypes.util.find_library = lambda name: None\n")
    done = subprocess.run(
        [sys.executable, "-m", "edge.cli.listen"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "sudo apt install libportaudio2" in one_sentence(done)
