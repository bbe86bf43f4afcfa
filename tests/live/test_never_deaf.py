"""Minutes of real time on a virtual microphone: the seconds heard and lost add up to the time."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from helpers.virtual_microphone import ListenProcess, VirtualMicrophone, is_lost, is_sound

pytestmark = [pytest.mark.slow, pytest.mark.microphone]

REMOVALS = 20
# The times of an idle machine are printed, and documented; these leave room for a busy one.
REPORT_SECONDS = 4.0
RECOVERY_SECONDS = 10.0
TOLERANCE = {"rel": 0.01, "abs": 1.0}


def account(listener: ListenProcess) -> tuple[float, float]:
    """Seconds between the arrivals of the first and the last line, and between the times in them."""
    assert listener.end() == 0
    (began, first), (ended, last) = listener.seen[0], listener.seen[-2]  # the last one is the final answer
    return ended - began, last["t"] - first["t"]


def listen_for(listener: ListenProcess, seconds: float) -> None:
    """Let it listen for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        listener.until(lambda line: True)


def test_a_microphone_that_is_unplugged_twenty_times_is_found_again(
    server: VirtualMicrophone, listener: ListenProcess
) -> None:
    chance = random.Random(0)
    lost_after, back_after = [], []
    for _ in range(REMOVALS):
        listen_for(listener, chance.uniform(0.5, 4))
        server.unplug()
        gone = time.monotonic()
        lost_after.append(listener.until(is_lost)[0] - gone)
        time.sleep(chance.uniform(0, 4))
        server.plug_in(rate=chance.choice((16_000, 44_100, 48_000, 96_000)), channels=chance.choice((1, 2)))
        back = time.monotonic()
        back_after.append(listener.until(is_sound)[0] - back)
    listen_for(listener, 3)
    elapsed, accounted = account(listener)
    print(f"lost after {sorted(lost_after)} s, back after {sorted(back_after)} s, {accounted=:.2f} {elapsed=:.2f}")
    assert max(lost_after) < REPORT_SECONDS
    assert max(back_after) < RECOVERY_SECONDS
    assert accounted == pytest.approx(elapsed, **TOLERANCE)


def test_time_adds_up_when_the_sound_server_is_killed_and_started_again(
    server: VirtualMicrophone, listener: ListenProcess
) -> None:
    for _ in range(3):
        listen_for(listener, 3)
        server.kill_server()
        listener.until(is_lost)
        time.sleep(3)
        server.start_server()
        server.plug_in()
        listener.until(is_sound)
    listen_for(listener, 10)
    elapsed, accounted = account(listener)
    assert accounted == pytest.approx(elapsed, **TOLERANCE)


@pytest.mark.parametrize("which", ["both processes", "the listener", "the worker", "the sound server"])
def test_time_adds_up_when_a_process_is_stopped_for_five_seconds(
    server: VirtualMicrophone, listener: ListenProcess, which: str
) -> None:
    listen_for(listener, 20)
    processes = {
        "both processes": [listener.process.pid, *listener.workers()],
        "the listener": [listener.process.pid],
        "the worker": listener.workers(),
        "the sound server": [server.pid],
    }[which]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    time.sleep(5)
    for process in processes:
        try:
            os.kill(process, signal.SIGCONT)
        except ProcessLookupError:
            assert which == "the worker"  # it was replaced meanwhile
    listen_for(listener, 25)
    elapsed, accounted = account(listener)
    print(f"{which}: {accounted=:.2f} {elapsed=:.2f}, lost {listener.seen[-1][1].get('lost')}")
    assert accounted == pytest.approx(elapsed, **TOLERANCE)


def test_time_adds_up_on_a_busy_machine(listener: ListenProcess) -> None:
    """With two busy processes per core."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        listen_for(listener, 60)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    elapsed, accounted = account(listener)
    print(f"{accounted=:.2f} {elapsed=:.2f}, lost {listener.seen[-1][1].get('lost')}")
    assert accounted == pytest.approx(elapsed, **TOLERANCE)


def test_a_listener_that_cannot_keep_up_reports_what_it_drops(listener: ListenProcess) -> None:
    """It is stopped for three seconds in every four."""
    for _ in range(15):
        listener.process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        listener.process.send_signal(signal.SIGCONT)
        time.sleep(1)
    listener.process.send_signal(signal.SIGSTOP)
    time.sleep(15)
    listener.process.send_signal(signal.SIGCONT)
    listen_for(listener, 10)
    elapsed, accounted = account(listener)
    assert accounted == pytest.approx(elapsed, **TOLERANCE)
    assert listener.seen[-1][1]["lost"] > 0
    assert any("audio was dropped" in line for line in listener.log)
