import pytest

from edge.audio.microphone.worker import BoundedQueue, open_stream
from edge.audio.microphone.protocol import OpenRequest
from edge.audio.microphone.devices import Device, DeviceAbsent
from edge.errors import EdgeError

DEVICE = Device(3, "mic (hw:1,0)", "ALSA", 4, 44_100, argument="mic")


class FussyPortAudio:
    """Devices that PortAudio would open at some rates only; no virtual one refuses any."""

    class PortAudioError(Exception):
        pass

    def __init__(self, *rates: int) -> None:
        self._rates = rates

    def RawInputStream(self, **settings: object) -> dict[str, object]:
        if settings["samplerate"] not in self._rates:
            raise self.PortAudioError("Error opening RawInputStream: Invalid sample rate [PaErrorCode -9997]", -9997)
        return settings


def opened(module: FussyPortAudio, channel: int | None = None) -> dict[str, object]:
    return open_stream(module, DEVICE, [DEVICE], OpenRequest("mic", channel, 0.25), BoundedQueue(0.25))


def test_a_full_queue_loses_its_oldest_audio_and_counts_it() -> None:
    queue = BoundedQueue(block_seconds=0.25)
    for i in range(45):
        queue.put(bytes([i]), overflow=False)
    left = []
    while taken := queue.get(timeout=0):
        left.append(taken[0][0])
    assert left == [*range(36, 45)]
    assert queue.overruns == 1


def test_what_the_sound_system_has_dropped_counts_as_well() -> None:
    queue = BoundedQueue(block_seconds=0.25)
    queue.put(b"", overflow=True)
    assert queue.overruns == 1


def test_a_device_is_opened_at_its_own_rate() -> None:
    assert opened(FussyPortAudio(16_000, 44_100, 48_000))["samplerate"] == 44_100


def test_a_device_that_refuses_the_rate_it_calls_its_own_is_opened_at_another() -> None:
    settings = opened(FussyPortAudio(16_000))
    assert (settings["samplerate"], settings["blocksize"]) == (16_000, 4_000)


def test_a_device_that_refuses_every_rate_is_said_in_portaudios_words() -> None:
    with pytest.raises(DeviceAbsent, match=r"can't open 'mic \(hw:1,0\)': .*Invalid sample rate$"):
        opened(FussyPortAudio())


def test_as_many_channels_are_opened_as_the_wanted_one_needs() -> None:
    assert opened(FussyPortAudio(44_100), channel=3)["channels"] == 3
    assert opened(FussyPortAudio(44_100))["channels"] == 2


def test_a_channel_that_the_device_hasnt_got_is_nothing_to_wait_for() -> None:
    with pytest.raises(EdgeError, match="has 4 channels, no channel 5") as caught:
        opened(FussyPortAudio(44_100), channel=5)
    assert not isinstance(caught.value, DeviceAbsent)
