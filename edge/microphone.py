"""The live source: a PortAudio stream through sounddevice, at the device's own rate."""

import queue
from collections.abc import Generator
from typing import Any

from edge.devices import Device, find_device, input_devices, portaudio
from edge.errors import EdgeError
from edge.frontend import FloatArray
from edge.sources import LOST_SECONDS

QUEUE_BLOCKS = 512  # bounds what waits for a slow device: 26 s
BLOCK_SECONDS = 0.05
MOST_CHANNELS = 2  # a sound server offers 32 and more, which would only repeat the first ones
USUAL_RATES = (48_000, 44_100, 32_000, 16_000)  # where a device refuses the rate it calls its default


class Microphone:
    """Blocks from a device, through a bounded queue.

    `overruns` counts the blocks that were lost because nobody took them in time.
    """

    def __init__(self, wanted: str | None) -> None:
        """Open the device that `find_device` finds for `wanted`. Raise EdgeError when it can't be."""
        self._sounddevice = portaudio()
        self.device = find_device(wanted, input_devices(), self._sounddevice.default.device[0])
        self._queue: queue.Queue[FloatArray] = queue.Queue(QUEUE_BLOCKS)
        self.overruns = 0
        self._stream = self._open(self.device)
        self.rate = round(self._stream.samplerate)

    def blocks(self) -> Generator[FloatArray | None, None, None]:
        """Blocks of (n, channels) samples as they come, for ever."""
        with self._stream:
            while True:
                try:
                    yield self._queue.get(timeout=LOST_SECONDS)
                except queue.Empty:
                    yield None

    def _open(self, device: Device) -> Any:
        problem = None
        for rate in dict.fromkeys((device.rate, *USUAL_RATES)):
            try:
                return self._sounddevice.InputStream(
                    device=device.index,
                    samplerate=rate,
                    channels=min(device.channels, MOST_CHANNELS),
                    blocksize=round(rate * BLOCK_SECONDS),
                    dtype="float32",
                    callback=self._callback,
                )
            except (self._sounddevice.PortAudioError, ValueError) as error:
                problem = problem or error
        raise EdgeError(
            f"can't open {device.name!r}: {_sentence(problem)}; is another program using it? (fuser -v /dev/snd/*)"
        )

    def _callback(self, samples: FloatArray, frames: int, time: object, status: Any) -> None:
        if status.input_overflow:
            self.overruns += 1
        try:
            self._queue.put_nowait(samples.copy())
        except queue.Full:
            self.overruns += 1


def _sentence(error: Exception | None) -> str:
    """PortAudio's own words, without its error number."""
    return str(error.args[0] if error and error.args else error).split(" [")[0]
