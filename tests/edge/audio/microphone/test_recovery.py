"""Audio arrives again after a microphone, a sound server or the worker went away; meanwhile the reason is known."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from helpers.virtual_microphone import ListenProcess, StartListener, VirtualMicrophone, is_lost, is_sound

from edge.audio.microphone.protocol import OpenRequest
from edge.audio.microphone.supervisor import STUCK_SECONDS, CaptureSupervisor

pytestmark = pytest.mark.microphone

# An idle machine needs less than 2 and 3: a null sink's first sound takes 2 by itself, and this one may be busy.
REPORT_SECONDS, RECOVERY_SECONDS = 4.0, 10.0


def test_an_unplugged_microphone_is_found_again(server: VirtualMicrophone, listener: ListenProcess) -> None:
    server.unplug()
    gone = time.monotonic()
    at, line = listener.until(is_lost)
    assert at - gone < REPORT_SECONDS
    assert line["note"]
    server.plug_in()
    back = time.monotonic()
    at, _ = listener.until(is_sound)
    assert at - back < RECOVERY_SECONDS
    assert listener.end() == 0
    assert any("no sound arrives" in line for line in listener.log)
    assert any("sound arrives after" in line for line in listener.log)


def test_a_microphone_is_found_again_at_another_index_and_rate(
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


def test_audio_arrives_again_after_a_sound_server_hung(server: VirtualMicrophone, listener: ListenProcess) -> None:
    with server.stopped():
        stopped = time.monotonic()
        at, _ = listener.until(is_lost)
    assert at - stopped < REPORT_SECONDS
    listener.until(is_sound)


def test_audio_arrives_again_after_a_sound_server_died(server: VirtualMicrophone, listener: ListenProcess) -> None:
    server.kill_server()
    listener.until(is_lost)
    server.start_server()
    server.plug_in()
    listener.until(is_sound)


def test_a_worker_that_crashes_is_replaced(listener: ListenProcess) -> None:
    (worker,) = listener.workers()
    os.kill(worker, signal.SIGSEGV)
    _, lost = listener.until(lambda line: line.get("lost"))
    listener.until(lambda line: line["t"] > lost["t"] + 2 and is_sound(line))
    listener.end()
    assert any("the recording ended" in line for line in listener.log)


@pytest.mark.slow
def test_a_worker_may_start_slowly(server: VirtualMicrophone, tmp_path: Path) -> None:
    """As on a small machine that has just booted, and reads Python from a slow card."""
    slowly = f"import sys, time\nif 'edge.audio.microphone.worker' in sys.orig_argv: time.sleep({STUCK_SECONDS + 1})\n"
    (tmp_path / "sitecustomize.py").write_text(slowly)
    done = server.listen("--device", "mic", "--duration", "9", "--json", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "silence"


def test_a_missing_microphone_is_used_once_it_appears(server: VirtualMicrophone, start_listener: StartListener) -> None:
    server.name_devices("another")
    try:
        listener = start_listener("--device", "mic", "--wait")
        _, line = listener.until(is_lost)
        assert line["note"] == "no device matches 'mic'"
    finally:
        server.name_devices("mic")
    listener.until(is_sound)
    assert listener.end() == 0


@pytest.mark.slow
def test_a_device_that_comes_back_as_two_is_reported_until_one_is_unplugged(
    server: VirtualMicrophone, start_listener: StartListener
) -> None:
    reason = "several devices match 'mi'; choose one: mic-one, mic-two"
    listener = start_listener("--device", "mi")
    listener.until(is_sound)
    try:
        server.unplug()
        server.name_devices("mic-one", "mic-two")
        server.plug_in()
        _, first = listener.until(lambda line: line.get("note") == reason)
        listener.until(lambda line: line["t"] > first["t"] + 5)
        notes = [line.get("note") for _, line in listener.seen if line["t"] >= first["t"]]
        assert set(notes) == {reason}
    finally:
        server.name_devices("mic")
    listener.until(is_sound)
    assert listener.end() == 0
    assert any(f"no sound arrives: {reason}\n" in line for line in listener.log)


@pytest.mark.parametrize(
    ("startup", "reason"),
    [
        (
            "import ctypes.util\nctypes.util.find_library = lambda name: None\n",
            "the PortAudio library is missing: sudo apt install libportaudio2",
        ),
        (
            "import sounddevice\ndel sounddevice.query_devices\n",
            "the capture process failed: AttributeError: module 'sounddevice' has no attribute 'query_devices'",
        ),
    ],
)
def test_the_reason_of_a_worker_that_ends_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, startup: str, reason: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(startup)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    supervisor = CaptureSupervisor(OpenRequest("mic", None, 0.25))
    reasons = set()
    try:
        while supervisor.starts < 4:
            supervisor.receive(0.25)
            if supervisor.problem:
                reasons.add(supervisor.problem.sentence)
    finally:
        supervisor.close()
    assert reasons == {reason}


@pytest.fixture
def broken_start(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH: while its file `broken` exists, no stream can be started."""
    (tmp_path / "broken").touch()
    (tmp_path / "sitecustomize.py").write_text(f"""
import sys
if "edge.audio.microphone.worker" in sys.orig_argv:
    import pathlib, sounddevice
    start = sounddevice.RawInputStream.start
    def start_unless_broken(stream):
        if pathlib.Path({str(tmp_path / "broken")!r}).exists():
            raise sounddevice.PortAudioError("Error starting stream", -9999, (8, -16, "Device or resource busy"))
        start(stream)
    sounddevice.RawInputStream.start = start_unless_broken
""")
    return tmp_path


def test_the_error_for_a_device_that_does_not_start_is_one_sentence(
    server: VirtualMicrophone, broken_start: Path
) -> None:
    done = server.listen("--device", "mic", PYTHONPATH=str(broken_start))
    assert done.returncode == 1
    assert done.stderr == "error: can't start 'mic': Device or resource busy\n"


def test_a_device_that_does_not_start_is_tried_again(start_listener: StartListener, broken_start: Path) -> None:
    listener = start_listener("--device", "mic", "--wait", PYTHONPATH=str(broken_start))
    _, line = listener.until(is_lost)
    assert line["note"] == "can't start 'mic': Device or resource busy"
    (broken_start / "broken").unlink()
    listener.until(is_sound)
