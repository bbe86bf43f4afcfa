"""The main loop of edge-listen, with scripted sources of audio."""

import signal
import time
from collections.abc import Iterator

import pytest
from helpers.support import CountingNetwork, stream_card, synthesise

from edge.answer import Answer
from edge.arrays import FloatArray
from edge.audio.source import AudioSource, Gap
from edge.cli.listen import hear
from edge.cli.reload import HotSwap
from edge.listener import Listener
from edge.model.load import SHIPPED_MODEL
from edge.model.streaming import StreamModel
from edge.stats import Stats

RATE = 22_050
BLOCK = synthesise(1.0, RATE, 1)[: RATE // 2]  # one hop


@pytest.fixture(autouse=True)
def restored_signal() -> Iterator[None]:
    """HotSwap installs a handler."""
    handler = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, handler)


class ScriptedSource(AudioSource):
    """Delivers what it is given; a block has arrived when it is delivered."""

    def __init__(self, script: list[FloatArray | Gap], *, late_seconds: float = 0.0) -> None:
        super().__init__(RATE, Stats("script"))
        self._script = script
        self._late_seconds = late_seconds

    def blocks(self) -> Iterator[FloatArray | Gap]:
        for item in self._script:
            if not isinstance(item, Gap):
                self.arrived = time.monotonic() - self._late_seconds
            yield item

    def close(self) -> None:
        pass


def listen_to(source: ScriptedSource, duration: float | None = None) -> tuple[list[Answer], list[float]]:
    """The answers of the main loop, and `delay_seconds` at each of them."""
    answers: list[Answer] = []
    delays: list[float] = []

    def publish(answer: Answer) -> None:
        answers.append(answer)
        delays.append(source.stats.delay_seconds)

    listener = Listener(StreamModel(stream_card(), CountingNetwork()), RATE)
    hear(source, listener, HotSwap(SHIPPED_MODEL, threads=1), publish, duration)
    return answers, delays


def test_the_delay_is_zero_until_the_first_sound_and_then_small() -> None:
    """A source that has delivered nothing yet has no delay, however long the machine has been running."""
    answers, delays = listen_to(ScriptedSource([Gap(2.0), Gap(2.0), BLOCK, BLOCK]))
    assert [answer.state == "lost" for answer in answers] == [True, True, False, False]
    assert delays[:2] == [0.0, 0.0]
    assert all(0 < delay < 1 for delay in delays[2:])


def test_the_delay_counts_from_the_arrival_of_the_last_sample() -> None:
    _, delays = listen_to(ScriptedSource([BLOCK], late_seconds=3.0))
    assert 3.0 < delays[0] < 4.0


def test_gaps_and_blocks_are_published_in_order() -> None:
    answers, _ = listen_to(ScriptedSource([BLOCK, Gap(2.0, "unplugged"), BLOCK]))
    assert [(a.time, a.note) for a in answers] == [(0.5, None), (2.5, "unplugged"), (3.0, None)]


@pytest.mark.parametrize(
    ("duration", "times"), [(0.5, [0.5]), (1.0, [0.5, 1.0]), (2.5, [0.5, 1.0, 3.0]), (99.0, [0.5, 1.0, 3.0, 3.5])]
)
def test_the_duration_counts_heard_and_lost_time(duration: float, times: list[float]) -> None:
    answers, _ = listen_to(ScriptedSource([BLOCK, BLOCK, Gap(2.0), BLOCK]), duration)
    assert [answer.time for answer in answers] == times
