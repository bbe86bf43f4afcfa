"""PortAudio in a process of its own: it may hang, crash or go deaf, and is killed and started anew when it does.

`python -m edge.audio.microphone.worker WANTED` (JSON) opens a device and writes to standard output, until it is killed, one message
after the other: a header (kind, length, overruns so far, CLOCK_MONOTONIC in seconds), then `length` bytes.
"""

import collections
import contextlib
import dataclasses
import json
import os
import signal
import sys
import threading
import time
from typing import Any

from edge.audio.microphone import alsa
from edge.audio.microphone.devices import (
    Device,
    DeviceAbsent,
    find_device,
    hindrance,
    input_devices,
    lasting,
    portaudio,
)
from edge.audio.microphone.protocol import ABSENT, AUDIO, FAILED, HEADER, OPENED, STARTED, OpenedStream, OpenRequest
from edge.errors import EdgeError

LONGEST_BLOCK = 0.25  # seconds; each block wakes two processes, which is most of what capturing costs
QUEUE_SECONDS = 10.0  # of audio that wait for a slow reader
KEPT_SECONDS = 1.0  # of them, the newest, when they become more
USUAL_CHANNELS = 2  # a sound server offers 32 and more, which would only repeat the first ones
USUAL_RATES = (48_000, 44_100, 32_000, 16_000)  # where a device refuses the rate it calls its default
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 1.0  # seconds between attempts to open a device that is away
LOOK_SECONDS = 0.1  # between two looks at the kernel's list of cards, which cost little


class BoundedQueue:
    """Blocks between PortAudio's thread and ours. When it is full the oldest audio goes, all but KEPT_SECONDS."""

    def __init__(self, block_seconds: float) -> None:
        self._most, self._kept = QUEUE_SECONDS / block_seconds, KEPT_SECONDS / block_seconds
        self._blocks: collections.deque[tuple[bytes, float]] = collections.deque()
        self._arrived = threading.Condition()
        self.overruns = 0

    def put(self, block: bytes, overflow: bool) -> None:
        """Append what PortAudio delivers; `overflow` says that the sound system has lost some before it."""
        with self._arrived:
            if len(self._blocks) >= self._most:
                overflow = True
                while len(self._blocks) > self._kept:
                    self._blocks.popleft()
            self.overruns += overflow
            self._blocks.append((block, time.monotonic()))
            self._arrived.notify()

    def get(self, timeout: float) -> tuple[bytes, float] | None:
        """The oldest block and when it came, None after `timeout` seconds without any."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._blocks, timeout):
                return None
            return self._blocks.popleft()


class Pipe:
    """The messages to the process that listens."""

    def __init__(self, descriptor: int) -> None:
        self._out = os.fdopen(descriptor, "wb", buffering=0)

    def send(self, kind: bytes, content: bytes, overruns: int = 0, at: float = 0.0) -> None:
        """Write one message; it takes as long as the reader takes."""
        message = memoryview(HEADER.pack(kind, len(content), overruns, at) + content)
        while message:
            message = message[self._out.write(message) :]


def main() -> None:
    """Capture until the reader closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; our reader ends us
    pipe = Pipe(os.dup(1))
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)  # ALSA's plugins write there whatever they think
    wanted = OpenRequest(**json.loads(sys.argv[1]))
    queue = BoundedQueue(wanted.block_seconds)
    pipe.send(STARTED, b"")
    try:
        stream = open_patiently(wanted, queue, pipe)
    except EdgeError as error:
        pipe.send(FAILED, str(error).encode())
        os._exit(1)
    stream.start()
    with contextlib.suppress(BrokenPipeError):
        while stream.active:
            if taken := queue.get(LONGEST_BLOCK):
                pipe.send(AUDIO, taken[0], queue.overruns, taken[1])
    os._exit(0)  # closing a stream whose device is gone may hang, and so may PortAudio's own end


def open_patiently(wanted: OpenRequest, queue: BoundedQueue, pipe: Pipe) -> Any:
    """The stream, as soon as there is such a device. Raise EdgeError where waiting is no use."""
    module = portaudio()
    pause = FIRST_PAUSE
    while True:
        try:
            devices = input_devices()
            device = find_device(wanted.device, devices, module.default.device[0])
            stream = open_stream(module, device, devices, wanted, queue)
        except (DeviceAbsent, module.PortAudioError) as error:
            pipe.send(ABSENT, str(error).encode())
        else:
            opened = OpenedStream(
                device.name, lasting(wanted.device, device), round(stream.samplerate), stream.channels
            )
            pipe.send(OPENED, json.dumps(dataclasses.asdict(opened)).encode())
            return stream
        pause = FIRST_PAUSE if cards_changed(pause) else min(2 * pause, LONGEST_PAUSE)
        module._terminate()  # PortAudio looks for devices only when it starts
        with contextlib.suppress(module.PortAudioError):  # then the next attempt says what is the matter
            module._initialize()


def cards_changed(seconds: float) -> bool:
    """Wait so long, or until a sound card has come or gone; whether one has."""
    before, end = alsa.cards(), time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        if alsa.cards() != before:
            return True
    return False


def open_stream(module: Any, device: Device, devices: list[Device], wanted: OpenRequest, queue: BoundedQueue) -> Any:
    """A stream at the device's own rate, or at the first usual one that it takes. Raise EdgeError."""
    if wanted.channel and wanted.channel > device.channels:
        raise EdgeError(f"{device.name!r} has {device.channels} channels, no channel {wanted.channel}")
    problem: Exception | None = None
    for rate in dict.fromkeys((device.rate, *USUAL_RATES)):
        try:
            return module.RawInputStream(
                device=device.index,
                samplerate=rate,
                channels=wanted.channel or min(device.channels, USUAL_CHANNELS),
                blocksize=round(rate * wanted.block_seconds),
                dtype="float32",  # PortAudio converts from what the device has: 16, 24 or 32 bits
                callback=lambda samples, frames, clock, status: queue.put(bytes(samples), status.input_overflow),
            )
        except (module.PortAudioError, ValueError) as error:
            problem = problem or error
    raise DeviceAbsent(f"can't open {device.name!r}: {hindrance(device, devices) or reason(problem)}")


def reason(error: Exception | None) -> str:
    """PortAudio's words, or those of the sound system below it, without their numbers."""
    if error is None or not error.args:
        return str(error)
    host_error = error.args[2][2] if len(error.args) > 2 else ""
    return str(host_error or error.args[0]).split(" [")[0]


if __name__ == "__main__":
    main()
