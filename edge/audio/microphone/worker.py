"""The capture worker: PortAudio in a process of its own, which may hang, crash or stop delivering and is then replaced.

`python -m edge.audio.microphone.worker REQUEST` (JSON) opens a device and writes messages (see protocol.py) to standard
output until nobody reads them any more.
"""

import collections
import contextlib
import os
import select
import signal
import sys
import threading
import time
from typing import Any

from edge.audio.microphone import alsa
from edge.audio.microphone.device import Device, DeviceAbsent, DeviceError, blocker
from edge.audio.microphone.devices import input_devices, portaudio
from edge.audio.microphone.naming import lasting_name
from edge.audio.microphone.protocol import (
    ABSENT,
    AUDIO,
    FAILED,
    FIRST_PAUSE,
    HEADER,
    MAX_BLOCK_SECONDS,
    MAX_PAUSE,
    OPENED,
    STARTED,
    OpenedStream,
    OpenRequest,
    Problem,
    decode,
    encode,
)
from edge.audio.microphone.selection import find_device
from edge.backoff import Backoff

QUEUE_SECONDS = 10.0  # of audio that wait for a slow reader
KEPT_SECONDS = 1.0  # of the newest audio, kept when the queue is full
MAX_CHANNELS = 2  # if the user chose none: a sound server offers 32 and more, which would only repeat the first ones
COMMON_RATES = (48_000, 44_100, 32_000, 16_000)  # Hz, for a device that refuses its own default rate
CARDS_POLL_SECONDS = 0.1  # between reads of the kernel's list of cards, which cost little


class BoundedQueue:
    """Blocks on their way from PortAudio's thread to the main thread.

    When it is full, the oldest audio is dropped until `KEPT_SECONDS` are left.

    Attributes
    ----------
    overruns : int
        Number of times that audio was dropped, here or in the sound system.
    """

    def __init__(self, block_seconds: float) -> None:
        self.overruns = 0
        self._max_blocks, self._kept_blocks = QUEUE_SECONDS / block_seconds, KEPT_SECONDS / block_seconds
        self._blocks: collections.deque[tuple[bytes, float]] = collections.deque()
        self._changed = threading.Condition()

    def put(self, block: bytes, overflow: bool) -> None:
        """Append a block; `overflow` means that the sound system dropped audio before it."""
        with self._changed:
            if len(self._blocks) >= self._max_blocks:
                overflow = True
                while len(self._blocks) > self._kept_blocks:
                    self._blocks.popleft()
            self.overruns += overflow
            self._blocks.append((block, time.monotonic()))
            self._changed.notify()

    def get(self, timeout: float) -> tuple[bytes, float] | None:
        """The oldest block and its arrival time, None after `timeout` seconds without a block."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._blocks, timeout):
                return None
            return self._blocks.popleft()


class MessagePipe:
    """The pipe to the process that listens."""

    def __init__(self, descriptor: int) -> None:
        self._out = os.fdopen(descriptor, "wb", buffering=0)

    def send(self, kind: bytes, content: bytes, overruns: int = 0, at: float = 0.0) -> None:
        """Write one message; blocks while the reader does not read."""
        message = memoryview(HEADER.pack(kind, len(content), overruns, at) + content)
        while message:
            message = message[self._out.write(message) :]

    def exit_with_reader(self) -> None:
        """End this process once the reader is gone.

        A thread watches it: without audio nothing is written, and PortAudio may hang with the device in its hands.
        """
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._out, 0)  # POLLERR, which means that the pipe has no reader, is always reported
        poll.poll()
        os._exit(0)


def main() -> None:
    """Capture until the reader closes the pipe or the stream ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches this process, too, but its reader ends it
    pipe = MessagePipe(os.dup(1))
    pipe.exit_with_reader()
    os.dup2(2, 1)  # ALSA's plugins may print to standard output, too
    request = decode(OpenRequest, sys.argv[1])
    queue = BoundedQueue(request.block_seconds)
    try:
        pipe.send(STARTED, b"")
        stream = start_patiently(request, queue, pipe)
        while stream.active:
            if entry := queue.get(MAX_BLOCK_SECONDS):
                pipe.send(AUDIO, entry[0], queue.overruns, entry[1])
    except BrokenPipeError:
        pass
    except DeviceError as error:
        send_problem(pipe, FAILED, error)
    except Exception as error:  # a traceback would have no reader
        send_problem(pipe, FAILED, DeviceError(f"the capture process failed: {type(error).__name__}: {error}"))
    os._exit(0)  # closing a stream whose device is gone may hang, and so may PortAudio's own end


def start_patiently(request: OpenRequest, queue: BoundedQueue, pipe: MessagePipe) -> Any:
    """A running stream, as soon as the device can be opened. Raise DeviceError if PortAudio can't be loaded."""
    module = portaudio()
    backoff = Backoff(FIRST_PAUSE, MAX_PAUSE)
    while True:
        try:
            devices = input_devices()
            device = find_device(request.device, devices, module.default.device[0])
            stream = start_stream(module, device, devices, request, queue)
        except DeviceAbsent as error:
            send_problem(pipe, ABSENT, error)
        except DeviceError as error:
            send_problem(pipe, FAILED, error)  # and try again: one of several devices that match may be unplugged
        except module.PortAudioError as error:
            send_problem(pipe, ABSENT, DeviceAbsent(f"PortAudio can't list the devices: {reason(error)}"))
        else:
            name = lasting_name(request.device, device)
            opened = OpenedStream(device.name, name, round(stream.samplerate), stream.channels)
            pipe.send(OPENED, encode(opened).encode())
            return stream
        if cards_changed(backoff.next()):
            backoff.reset()
        module._terminate()  # PortAudio looks for devices only when it starts
        with contextlib.suppress(module.PortAudioError):  # the next attempt reports it
            module._initialize()


def send_problem(pipe: MessagePipe, kind: bytes, error: DeviceError) -> None:
    """Send the reason why the stream could not be opened."""
    pipe.send(kind, encode(Problem(error.sentence, str(error))).encode())


def cards_changed(seconds: float) -> bool:
    """Wait until a sound card appears or disappears, then return True; False after `seconds` without a change."""
    before, end = alsa.cards(), time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(CARDS_POLL_SECONDS)
        if alsa.cards() != before:
            return True
    return False


def start_stream(module: Any, device: Device, devices: list[Device], request: OpenRequest, queue: BoundedQueue) -> Any:
    """A running stream at the device's own rate, or at the first common one that it accepts.

    Parameters
    ----------
    module
        The sounddevice module.
    device
        Device to open.
    devices
        Devices of PortAudio, for the reason if it can't be opened.
    request
        Channel and length of a block.
    queue
        Destination of the blocks.

    Raises
    ------
    DeviceAbsent
        If the device can't be opened or started now.
    DeviceError
        If it does not have the channel.
    """
    if request.channel and request.channel > device.channels:
        raise DeviceError(f"{device.name!r} has {device.channels} channels, no channel {request.channel}")
    problem: Exception | None = None
    for rate in dict.fromkeys((device.rate, *COMMON_RATES)):
        try:
            stream = module.RawInputStream(
                device=device.index,
                samplerate=rate,
                channels=request.channel or min(device.channels, MAX_CHANNELS),
                blocksize=round(rate * request.block_seconds),
                dtype="float32",  # PortAudio converts from the device's 16, 24 or 32 bits
                callback=lambda samples, frames, clock, status: queue.put(bytes(samples), status.input_overflow),
            )
        except (module.PortAudioError, ValueError) as error:
            problem = problem or error
            continue
        try:
            stream.start()
        except module.PortAudioError as error:
            raise DeviceAbsent(f"can't start {device.name!r}: {blocker(device, devices) or reason(error)}") from None
        return stream
    raise DeviceAbsent(f"can't open {device.name!r}: {blocker(device, devices) or reason(problem)}")


def reason(error: Exception | None) -> str:
    """PortAudio's description of an error, or that of the sound system below it, without their numbers."""
    if error is None or not error.args:
        return str(error)
    host_error = error.args[2][2] if len(error.args) > 2 else ""
    return str(host_error or error.args[0]).split(" [")[0]


if __name__ == "__main__":
    main()
