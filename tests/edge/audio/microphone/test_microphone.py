"""A real PortAudio stream: PulseAudio's null sink is the microphone, and paplay plays into it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile
from helpers.support import one_sentence, synthesise, wait_for
from helpers.virtual_microphone import ListenProcess, VirtualMicrophone, is_lost, is_sound

from edge.audio.microphone.supervisor import STUCK_SECONDS
from edge.decision import MUTED

LISTEN = [sys.executable, "-m", "edge.cli.listen"]
# A quiet machine needs less than 2 and 3: a null sink's first sound takes 2 by itself, and this one may be busy.
SAID_SECONDS, COMES_BACK_SECONDS = 4.0, 10.0


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    """Twenty seconds at 44.1 kHz, stereo: neither the sink's rate nor the model's."""
    path = tmp_path / "tune.wav"
    soundfile.write(path, synthesise(20.0, 44_100, 2), 44_100)
    return path


def listen(server: VirtualMicrophone, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LISTEN, *words],
        env={**server.environment, **environment},
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_what_is_played_is_heard(server: VirtualMicrophone, tune: Path) -> None:
    with server.playing(tune):
        time.sleep(0.5)
        done = listen(server, "--device", "mic", "--json", "--duration", "8")
    assert done.returncode == 0, done.stderr
    live = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(live) == pytest.approx(17, abs=2)  # some audio may have been dropped on a busy machine
    assert live[-1]["t"] == pytest.approx(8.0, abs=0.5)
    command = [*LISTEN, str(tune), "--json"]
    from_file = json.loads(subprocess.run(command, capture_output=True, check=True).stdout.splitlines()[-1])
    assert live[-1]["top"][0][0] == from_file["top"][0][0]
    assert live[-1]["state"] == from_file["state"]


def test_a_muted_microphone_is_silence_and_said_to_be_muted(server: VirtualMicrophone) -> None:
    done = listen(server, "--device", "mic", "--json", "--duration", "7")
    assert done.returncode == 0, done.stderr
    *_, last, _ = [json.loads(line) for line in done.stdout.splitlines()]
    assert (last["state"], last["note"]) == ("silence", MUTED)


def test_one_channel_is_heard_alone(server: VirtualMicrophone) -> None:
    assert listen(server, "--device", "mic", "--channel", "2", "--json", "--duration", "1").returncode == 0


def test_a_channel_that_the_device_hasnt_got_is_one_sentence(server: VirtualMicrophone) -> None:
    done = listen(server, "--device", "mic", "--channel", "100")
    assert done.returncode == 1
    assert "no channel 100" in one_sentence(done)


def test_a_microphone_that_is_unplugged_is_lost_and_found_again(
    server: VirtualMicrophone, listener: ListenProcess
) -> None:
    server.unplug()
    gone = time.monotonic()
    at, line = listener.until(is_lost)
    assert at - gone < SAID_SECONDS
    assert line["note"]
    server.plug_in()
    back = time.monotonic()
    at, _ = listener.until(is_sound)
    assert at - back < COMES_BACK_SECONDS
    assert listener.end() == 0
    assert any("no sound arrives" in line for line in listener.log)
    assert any("sound arrives after" in line for line in listener.log)


def test_it_is_found_again_at_another_index_and_another_rate(
    server: VirtualMicrophone, listener: ListenProcess
) -> None:
    server.unplug()
    listener.until(is_lost)
    server.name_devices("another", "mic")
    server.plug_in(rate=16_000, channels=2)
    try:
        listener.until(is_sound)
    finally:
        server.name_devices("mic")
        server.unplug()
        server.plug_in()


def test_a_sound_server_that_hangs_is_lost_and_found_again(server: VirtualMicrophone, listener: ListenProcess) -> None:
    server.signal_server(signal.SIGSTOP)
    stopped = time.monotonic()
    try:
        at, _ = listener.until(is_lost)
    finally:
        server.signal_server(signal.SIGCONT)
    assert at - stopped < SAID_SECONDS
    listener.until(is_sound)


def test_a_sound_server_that_dies_is_lost_and_found_again(server: VirtualMicrophone, listener: ListenProcess) -> None:
    server.kill_server()
    listener.until(is_lost)
    server.start_server()
    server.plug_in()
    listener.until(is_sound)


def test_a_capture_process_that_crashes_is_replaced(listener: ListenProcess) -> None:
    (capture,) = listener.children()
    os.kill(capture, signal.SIGSEGV)
    _, line = listener.until(lambda line: line.get("lost"))
    listener.until(lambda later: later["t"] > line["t"] + 2 and is_sound(later))
    listener.end()
    assert any("the recording ended" in said for said in listener.log)


def test_a_capture_process_that_starts_slowly_is_waited_for(server: VirtualMicrophone, tmp_path: Path) -> None:
    """As on a small machine that has just booted, and reads Python from a slow card."""
    slowly = f"import sys, time\nif 'edge.audio.microphone.worker' in sys.orig_argv: time.sleep({STUCK_SECONDS + 1})\n"
    (tmp_path / "sitecustomize.py").write_text(slowly)
    done = listen(server, "--device", "mic", "--duration", "9", "--json", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "silence"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_leaves_no_process_behind(server: VirtualMicrophone, number: signal.Signals) -> None:
    listener = ListenProcess(server.environment, "--device", "mic")
    listener.until(is_sound)
    (capture,) = listener.children()
    assert listener.end(number) == 0
    assert not any("Traceback" in line or "error" in line for line in listener.log)
    wait_for(lambda: not Path(f"/proc/{capture}").exists())


def test_the_capture_process_of_a_killed_listener_ends_itself(server: VirtualMicrophone) -> None:
    listener = ListenProcess(server.environment, "--device", "mic")
    listener.until(is_sound)
    (capture,) = listener.children()
    listener.end(signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{capture}").exists())


def test_a_microphone_that_is_not_there_yet_is_waited_for(server: VirtualMicrophone) -> None:
    server.name_devices("another")
    listener = ListenProcess(server.environment, "--device", "mic", "--wait")
    try:
        _, line = listener.until(is_lost)
        assert "no device matches 'mic'" in line["note"]
        server.name_devices("mic")
        listener.until(is_sound)
    finally:
        server.name_devices("mic")
        assert listener.end() == 0


def test_sigterm_ends_the_waiting_for_a_microphone(server: VirtualMicrophone) -> None:
    listener = ListenProcess(server.environment, "--device", "no such microphone", "--wait")
    listener.until(is_lost)
    assert listener.end() == 0


def test_waiting_is_no_use_where_the_words_are_off(server: VirtualMicrophone) -> None:
    server.name_devices("mic-one", "mic-two")
    try:
        done = listen(server, "--device", "mic", "--wait")
    finally:
        server.name_devices("mic")
    assert done.returncode == 1
    assert "several devices match 'mic'" in one_sentence(done)


def test_the_devices_are_listed(server: VirtualMicrophone) -> None:
    done = listen(server, "--list-devices")
    assert done.returncode == 0
    assert any("mic" in line.split() for line in done.stdout.splitlines())


def test_the_devices_are_listed_as_json(server: VirtualMicrophone) -> None:
    done = listen(server, "--list-devices", "--json")
    devices = [json.loads(line) for line in done.stdout.splitlines()]
    (microphone,) = [device for device in devices if device["argument"] == "mic"]
    assert {44_100, 48_000} <= set(microphone["rates"])


def test_no_such_device_lists_the_ones_there_are(server: VirtualMicrophone) -> None:
    done = listen(server, "--device", "hw:7")
    assert done.returncode == 1
    said = one_sentence(done)
    assert "no device matches 'hw:7'" in said
    assert "mic" in said


def test_a_device_that_cannot_be_opened_is_one_sentence(server: VirtualMicrophone) -> None:
    server.unplug()
    try:
        done = listen(server, "--device", "mic")
    finally:
        server.plug_in()
    assert done.returncode == 1
    assert "can't open 'mic': Input/output error" in one_sentence(done)


def test_without_a_sound_server_there_is_no_such_device(server: VirtualMicrophone) -> None:
    done = listen(server, "--device", "mic", PULSE_SERVER="unix:/nowhere")
    assert done.returncode == 1
    assert "no device matches 'mic'" in one_sentence(done)


def test_a_damaged_alsa_configuration_is_one_sentence(server: VirtualMicrophone) -> None:
    server.configure("pcm.mic {")
    try:
        done = listen(server, "--device", "mic")
    finally:
        server.name_devices("mic")
    assert done.returncode == 1
    assert "ALSA's configuration" in one_sentence(done)


def test_check_tries_the_microphone(server: VirtualMicrophone) -> None:
    done = listen(server, "--check", "--device", "mic")
    assert done.returncode == 0, done.stderr
    assert "source: mic, 44100 Hz, exact zeros: is it muted?" in done.stdout
    assert "model: edge" in done.stdout


def test_check_names_everything_that_would_not_work(server: VirtualMicrophone) -> None:
    done = listen(server, "--check", "--device", "none", "--model", "none.tflite")
    assert done.returncode == 1
    assert "error: model: none.tflite" in done.stderr
    assert "error: source: no device matches 'none'" in done.stderr


def test_a_machine_without_portaudio_is_told_what_to_install(tmp_path: Path) -> None:
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
