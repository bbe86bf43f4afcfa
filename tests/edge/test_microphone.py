"""A real PortAudio stream: PulseAudio's null sink is the microphone, and paplay plays into it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from support import one_sentence, synthesise

ASOUNDRC = """
pcm.mic {
    type pulse
    device ear.monitor
    hint { show on  description "virtual microphone" }
}
"""
Environment = dict[str, str]


@pytest.fixture(scope="module")
def virtual_microphone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """A PulseAudio server of our own with one silent sink, whose monitor PortAudio lists as `mic`."""
    for program in ("pulseaudio", "pactl", "paplay"):
        assert shutil.which(program), f"{program} is missing: apt install pulseaudio libasound2-plugins"
    home = tmp_path_factory.mktemp("home")
    (home / ".asoundrc").write_text(ASOUNDRC)
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    environment = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "PULSE_RUNTIME_PATH": str(runtime)}
    modules = ["module-null-sink sink_name=ear rate=48000 channels=1", "module-native-protocol-unix"]
    loads = [word for module in modules for word in ("-L", module)]
    server = subprocess.Popen(
        ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", *loads],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(50):
            if subprocess.run(["pactl", "info"], env=environment, capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        yield {**environment, "SERVER_PID": str(server.pid)}
    finally:
        server.terminate()
        server.wait(timeout=10)


def listen(environment: Environment, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "edge.listen", *words]
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=1
    )


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    """Twenty seconds at 44.1 kHz, stereo: neither the sink's rate nor the model's."""
    path = tmp_path / "tune.wav"
    soundfile.write(path, synthesise(20.0, 44_100, 2), 44_100)
    return path


def test_what_is_played_is_heard(virtual_microphone: Environment, tune: Path) -> None:
    player = subprocess.Popen(["paplay", "-d", "ear", str(tune)], env=virtual_microphone)
    time.sleep(0.5)
    process = listen(virtual_microphone, "--device", "mic", "--json", "--duration", "8")
    out, err = process.communicate(timeout=60)
    player.terminate()
    player.wait()
    assert process.returncode == 0, err
    live = [json.loads(line) for line in out.splitlines()]
    assert [a["t"] for a in live[:-1]] == [0.5 * i for i in range(1, 17)]
    command = [sys.executable, "-m", "edge.listen", str(tune), "--json"]
    from_file = json.loads(subprocess.run(command, capture_output=True, check=True).stdout.splitlines()[-1])
    assert live[-1]["top"][0][0] == from_file["top"][0][0]
    assert live[-1]["state"] == from_file["state"]


def test_a_quiet_room_is_silence(virtual_microphone: Environment) -> None:
    process = listen(virtual_microphone, "--device", "mic", "--json", "--duration", "3")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["state"] == "silence"


def test_a_microphone_that_stops_delivering_is_said(virtual_microphone: Environment) -> None:
    process = listen(virtual_microphone, "--device", "mic", "--json")
    assert process.stdout is not None
    process.stdout.readline()
    server = int(virtual_microphone["SERVER_PID"])
    os.kill(server, signal.SIGSTOP)
    try:
        began = time.monotonic()
        while json.loads(process.stdout.readline())["state"] != "lost":
            assert time.monotonic() - began < 10
    finally:
        os.kill(server, signal.SIGCONT)
        process.terminate()
        process.communicate()


def test_the_devices_are_listed(virtual_microphone: Environment) -> None:
    process = listen(virtual_microphone, "--list-devices")
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "mic  (ALSA," in out


def test_no_such_device_lists_the_ones_there_are(virtual_microphone: Environment) -> None:
    process = listen(virtual_microphone, "--device", "hw:7")
    out, err = process.communicate(timeout=30)
    said = one_sentence(subprocess.CompletedProcess([], process.returncode, out, err))
    assert process.returncode == 1
    assert "no device matches 'hw:7'" in said
    assert "mic" in said


def test_a_device_that_cannot_be_opened_is_one_sentence(virtual_microphone: Environment) -> None:
    gone = {**virtual_microphone, "PULSE_SERVER": "unix:/nowhere"}
    process = listen(gone, "--device", "mic")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in err
    assert "error: " in err


def test_a_machine_without_portaudio_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import ctypes.util\nctypes.util.find_library = lambda name: None\n")
    done = subprocess.run(
        [sys.executable, "-m", "edge.listen"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "sudo apt install libportaudio2" in one_sentence(done)
