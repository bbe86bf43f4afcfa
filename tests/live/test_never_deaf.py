"""Minutes of real time on a virtual microphone: what was heard and what was declared lost make up the time."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from helpers.virtual_microphone import ListenProcess, VirtualMicrophone, is_lost, is_sound

REMOVALS = 20
# What a quiet machine needs is printed, and stands in the README; these leave room for a busy one.
SAID_SECONDS = 4.0
COMES_BACK_SECONDS = 10.0
TOLERANCE = {"rel": 0.01, "abs": 1.0}


def account(listener: ListenProcess) -> tuple[float, float]:
    """Seconds between the first and the last line, and those that the lines account for."""
    assert listener.end() == 0
    (began, first), (ended, last) = listener.seen[0], listener.seen[-2]  # the last one is the final answer
    return ended - began, last["t"] - first["t"]


def settle(listener: ListenProcess, seconds: float) -> None:
    """Let it hear for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        listener.until(lambda line: True)


def test_twenty_removals(server: VirtualMicrophone, listener: ListenProcess) -> None:
    chance = random.Random(0)
    lost_after, back_after = [], []
    for _ in range(REMOVALS):
        settle(listener, chance.uniform(0.5, 4))
        server.unplug()
        gone = time.monotonic()
        lost_after.append(listener.until(is_lost)[0] - gone)
        time.sleep(chance.uniform(0, 4))
        server.plug_in(rate=chance.choice((16_000, 44_100, 48_000, 96_000)), channels=chance.choice((1, 2)))
        back = time.monotonic()
        back_after.append(listener.until(is_sound)[0] - back)
    settle(listener, 3)
    elapsed, accounted = account(listener)
    print(f"lost after {sorted(lost_after)} s, back after {sorted(back_after)} s, {accounted=:.2f} {elapsed=:.2f}")
    assert max(lost_after) < SAID_SECONDS
    assert max(back_after) < COMES_BACK_SECONDS
    assert accounted == pytest.approx(elapsed, **TOLERANCE)


def test_a_sound_server_that_is_killed_and_started_again(server: VirtualMicrophone, listener: ListenProcess) -> None:
    for _ in range(3):
        settle(listener, 3)
        server.kill_server()
        listener.until(is_lost)
        time.sleep(3)
        server.start_server()
        server.plug_in()
        listener.until(is_sound)
    settle(listener, 10)
    elapsed, accounted = account(listener)
    assert accounted == pytest.approx(elapsed, **TOLERANCE)


@pytest.mark.parametrize("who", ["all of it", "the listener", "the capture process", "the sound server"])
def test_a_process_that_is_stopped_for_five_seconds(
    server: VirtualMicrophone, listener: ListenProcess, who: str
) -> None:
    settle(listener, 20)
    processes = {
        "all of it": [listener.process.pid, *listener.children()],
        "the listener": [listener.process.pid],
        "the capture process": listener.children(),
        "the sound server": [server.pid],
    }[who]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    time.sleep(5)
    for process in processes:
        try:
            os.kill(process, signal.SIGCONT)
        except ProcessLookupError:
            assert who == "the capture process"  # it was replaced meanwhile
    settle(listener, 25)
    elapsed, accounted = account(listener)
    print(f"{who}: {accounted=:.2f} {elapsed=:.2f}, lost {listener.seen[-1][1].get('lost')}")
    assert accounted == pytest.approx(elapsed, **TOLERANCE)


def test_a_cpu_hog_beside_it(listener: ListenProcess) -> None:
    """Two busy processes a core."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        settle(listener, 60)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    elapsed, accounted = account(listener)
    print(f"{accounted=:.2f} {elapsed=:.2f}, lost {listener.seen[-1][1].get('lost')}")
    assert accounted == pytest.approx(elapsed, **TOLERANCE)


def test_a_listener_that_cannot_keep_up_drops_the_oldest_and_says_so(listener: ListenProcess) -> None:
    """Stopped for three seconds in every four, it hears some of the time, and knows which."""
    for _ in range(15):
        listener.process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        listener.process.send_signal(signal.SIGCONT)
        time.sleep(1)
    listener.process.send_signal(signal.SIGSTOP)
    time.sleep(15)
    listener.process.send_signal(signal.SIGCONT)
    settle(listener, 10)
    elapsed, accounted = account(listener)
    assert accounted == pytest.approx(elapsed, **TOLERANCE)
    assert listener.seen[-1][1]["lost"] > 0
    assert any("audio was dropped" in line for line in listener.log)
