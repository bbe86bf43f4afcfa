"""The parts of the capture worker: its queue, and the opening of a stream."""

import pytest

from edge.audio.microphone.device import Device, DeviceAbsent, DeviceError
from edge.audio.microphone.protocol import OpenRequest
from edge.audio.microphone.worker import BoundedQueue, start_stream

DEVICE = Device(3, "mic (hw:1,0)", "ALSA", 4, 44_100, argument="mic")


class FussyPortAudio:
    """A double for sounddevice whose devices open at some rates only: no virtual device refuses a rate."""

    class PortAudioError(Exception):
        pass

    def __init__(self, *rates: int, start_error: str | None = None) -> None:
        self._rates = rates
        self._start_error = self.PortAudioError(start_error, -9985) if start_error else None

    def RawInputStream(self, **settings: object) -> "FussyStream":
        if settings["samplerate"] not in self._rates:
            raise self.PortAudioError("Error opening RawInputStream: Invalid sample rate [PaErrorCode -9997]", -9997)
        return FussyStream(settings, self._start_error)


class FussyStream:
    """A stream that was opened with these settings, and may refuse to start."""

    def __init__(self, settings: dict[str, object], start_error: Exception | None) -> None:
        self.settings = settings
        self.started = False
        self._start_error = start_error

    def start(self) -> None:
        if self._start_error:
            raise self._start_error
        self.started = True


def start(module: FussyPortAudio, channel: int | None = None) -> FussyStream:
    stream = start_stream(module, DEVICE, [DEVICE], OpenRequest("mic", channel, 0.25), BoundedQueue(0.25))
    assert isinstance(stream, FussyStream)
    return stream


def test_a_full_queue_drops_its_oldest_audio_and_counts_it() -> None:
    queue = BoundedQueue(block_seconds=0.25)
    for i in range(45):
        queue.put(bytes([i]), overflow=False)
    left = []
    while entry := queue.get(timeout=0):
        left.append(entry[0][0])
    assert left == [*range(36, 45)]
    assert queue.overruns == 1


def test_audio_that_the_sound_system_dropped_is_counted() -> None:
    queue = BoundedQueue(block_seconds=0.25)
    queue.put(b"", overflow=True)
    assert queue.overruns == 1


def test_a_device_is_opened_at_its_own_rate() -> None:
    stream = start(FussyPortAudio(16_000, 44_100, 48_000))
    assert (stream.settings["samplerate"], stream.started) == (44_100, True)


def test_a_device_that_refuses_its_default_rate_is_opened_at_another() -> None:
    settings = start(FussyPortAudio(16_000)).settings
    assert (settings["samplerate"], settings["blocksize"]) == (16_000, 4_000)


def test_the_error_for_a_device_that_refuses_every_rate_is_that_of_portaudio() -> None:
    with pytest.raises(DeviceAbsent, match=r"can't open 'mic \(hw:1,0\)': .*Invalid sample rate$"):
        start(FussyPortAudio())


def test_only_as_many_channels_are_opened_as_are_needed() -> None:
    assert start(FussyPortAudio(44_100), channel=3).settings["channels"] == 3
    assert start(FussyPortAudio(44_100)).settings["channels"] == 2


def test_a_missing_channel_is_not_worth_waiting() -> None:
    with pytest.raises(DeviceError, match="has 4 channels, no channel 5") as caught:
        start(FussyPortAudio(44_100), channel=5)
    assert not isinstance(caught.value, DeviceAbsent)


def test_the_error_for_a_device_that_does_not_start_is_that_of_portaudio() -> None:
    module = FussyPortAudio(44_100, start_error="Error starting stream: Device unavailable [PaErrorCode -9985]")
    with pytest.raises(DeviceAbsent, match=r"can't start 'mic \(hw:1,0\)': .*Device unavailable$"):
        start(module)
