"""The functions that `import edge` offers."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import synthesise

import edge
from edge.arrays import FloatArray
from edge.audio.files import FileSource
from edge.stats import Stats

RATE = 48_000
MUSIC = synthesise(8.0, RATE, 2)


def test_a_file_is_answered_hop_by_hop(melody: Path) -> None:
    answers = list(edge.listen(melody))
    assert [answer.time for answer in answers] == [0.5 * i for i in range(1, 17)]
    assert answers[0].state == "warming"
    assert answers[-1].top
    assert [answer.time for answer in edge.listen(str(melody), hop_seconds=2.0)] == [2.0, 4.0, 6.0, 8.0]


def test_raw_answers_are_the_models_own_output(melody: Path) -> None:
    raw = next(answer for answer in edge.listen(melody, raw=True) if answer.top)
    steady = next(answer for answer in edge.listen(melody) if answer.top)
    assert raw.time < steady.time


@pytest.mark.parametrize("cuts", [[], [1, 2, 100_000], range(0, len(MUSIC), 1000)])
def test_blocks_are_answered_like_the_file_that_they_came_from(melody: Path, cuts: list[int]) -> None:
    samples, _ = soundfile.read(melody, dtype="float32", always_2d=True)
    answers = list(edge.listen(np.split(samples, cuts), rate=RATE))
    expected = list(edge.listen(melody))
    assert [(a.time, a.state, a.label) for a in answers] == [(a.time, a.state, a.label) for a in expected]
    assert answers[-1].confidence == pytest.approx(expected[-1].confidence, abs=1e-3)


def test_mono_blocks_may_have_one_dimension() -> None:
    mono = MUSIC[:, 0]
    one, two = (list(edge.listen([samples], rate=RATE)) for samples in (mono, mono[:, None]))
    assert one == two
    assert one[-1].time == pytest.approx(8.0, abs=1e-3)


def test_blocks_may_be_doubles_and_empty() -> None:
    blocks = [np.empty(0), MUSIC[:, 0].astype(np.float64), np.empty((0, 2))]
    assert list(edge.listen(blocks, rate=RATE)) == list(edge.listen([MUSIC[:, 0]], rate=RATE))


def test_blocks_are_taken_as_they_come() -> None:
    taken = []

    def blocks() -> Iterator[FloatArray]:
        for start in range(0, len(MUSIC), RATE):
            taken.append(start)
            yield MUSIC[start : start + RATE]

    answers = edge.listen(blocks(), rate=RATE)
    assert taken == []
    next(answers)
    assert len(taken) <= 2


class Interrupted(edge.AudioSource):
    """A second of music, a gap, and a second of music at another rate."""

    def __init__(self) -> None:
        super().__init__(RATE, Stats("a test"))
        self.closed = False

    def blocks(self) -> Iterator[FloatArray | edge.Gap]:
        yield synthesise(1.0, RATE, 1)
        yield edge.Gap(2.0, "unplugged")
        self.rate = 22_050
        yield edge.Gap(0.0)
        yield synthesise(1.0, 22_050, 1)

    def close(self) -> None:
        self.closed = True


def test_an_audio_source_may_have_gaps_and_stays_the_callers() -> None:
    source = Interrupted()
    answers = list(edge.listen(source))
    assert next(a.note for a in answers if a.state == "lost") == "unplugged"
    assert answers[-1].time == pytest.approx(4.0, abs=1e-3)
    assert answers[-1].lost == pytest.approx(2.5, abs=1e-3)  # with the hop that the gap interrupts
    assert not source.closed


def test_a_file_is_closed_when_the_loop_is_left(melody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    close = FileSource.close
    monkeypatch.setattr(FileSource, "close", lambda self: closed.append(self) or close(self))
    answers = edge.listen(melody)
    next(answers)
    assert closed == []
    answers.close()
    assert len(closed) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"source": "song.flac", "device": "hw:1"}, TypeError, "either a source or a device"),
        ({"source": [MUSIC], "device": "hw:1", "rate": RATE}, TypeError, "either a source or a device"),
        ({"source": [MUSIC]}, TypeError, "need a rate"),
        ({"source": "song.flac", "rate": RATE}, TypeError, "need a rate"),
        ({"device": "hw:1", "rate": RATE}, TypeError, "need a rate"),
    ],
)
def test_contradicting_arguments_are_refused_at_once(
    arguments: dict[str, object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        edge.listen(**arguments)  # type: ignore[arg-type]


def test_integer_samples_are_refused() -> None:
    with pytest.raises(TypeError, match=r"floats in -1\.\.1, got int16"):
        list(edge.listen([np.zeros(1000, np.int16)], rate=RATE))


@pytest.mark.parametrize("shape", [(), (2, 3, 4)])
def test_a_block_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match=r"\(n,\) or \(n, channels\), got \("):
        list(edge.listen([np.zeros(shape)], rate=RATE))


def test_nan_in_one_block_does_not_reach_the_answers() -> None:
    """It would stay in the state of the model for ever."""
    noise = np.random.default_rng(0).normal(0, 0.1, (8, RATE))
    noise[2, 100] = np.nan
    answers = list(edge.listen(noise, rate=RATE))
    assert all(np.isfinite(answer.confidence) for answer in answers)
    assert answers[-1].top
    assert all(np.isfinite(p) for answer in answers for _, p in answer.top)


def test_a_missing_file_and_an_impossible_hop_are_errors_of_the_package(melody: Path) -> None:
    with pytest.raises(edge.EdgeError, match="no such file"):
        list(edge.listen("none.wav"))
    with pytest.raises(edge.UsageError, match=r"hop 0\.01"):
        list(edge.listen(melody, hop_seconds=0.01))


@pytest.mark.parametrize("hop", [0.0, -1.0, 61.0, float("nan")])
@pytest.mark.parametrize("kind", ["file", "blocks"])
def test_a_hop_out_of_range_is_the_same_error_for_every_source(melody: Path, hop: float, kind: str) -> None:
    source, rate = (melody, None) if kind == "file" else ([MUSIC], RATE)
    with pytest.raises(edge.UsageError, match="hop"):
        list(edge.listen(source, rate=rate, hop_seconds=hop))


@pytest.mark.parametrize("rate", [0, -1, 1, 10_000_000])
def test_a_rate_out_of_range_is_an_error_of_the_package(rate: int) -> None:
    with pytest.raises(edge.UsageError, match=f"rate {rate}: must be from 1000 to 768000"):
        list(edge.listen([MUSIC], rate=rate))


def test_a_file_has_the_same_label_by_path_and_with_a_loaded_model(melody: Path) -> None:
    model = edge.load_model()
    first, second = edge.label(melody, model), edge.label(melody, model)
    assert first == second == edge.label(str(melody))
    assert first.time == 8.0


def test_a_model_may_be_given_as_a_path(melody: Path, tmp_path: Path) -> None:
    from edge.model.load import SHIPPED_MODEL

    link = tmp_path / "model"
    link.symlink_to(SHIPPED_MODEL)
    assert edge.label(melody, link) == edge.label(melody)
    with pytest.raises(edge.CardError, match=r"none\.tflite"):
        edge.label(melody, "none.tflite")


def test_too_little_audio_is_an_error(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "blip.wav", synthesise(1.0, 22_050, 1)[:500], 22_050)
    with pytest.raises(edge.EdgeError, match=r"blip\.wav: 0\.02 s of audio is too short for an answer"):
        edge.label(tmp_path / "blip.wav")


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    """Threads take turns after a few microseconds, so that a race shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("shared", [False, True], ids=["two networks", "one network"])
def test_two_models_in_two_threads_give_the_answers_of_one(
    tmp_path: Path, shared: bool, frequent_switches: None
) -> None:
    paths = []
    for seed in (1, 2):
        paths.append(tmp_path / f"{seed}.wav")
        soundfile.write(paths[-1], synthesise(8.0, 22_050, 1, seed), 22_050)
    expected = [edge.label(path) for path in paths]
    assert expected[0] != expected[1]
    results: dict[int, list[edge.Answer]] = {0: [], 1: []}

    first = edge.load_model()
    models = first, first.another() if shared else edge.load_model()

    def label_often(index: int) -> None:
        for _ in range(5):
            results[index].append(edge.label(paths[index], models[index]))

    threads = [threading.Thread(target=label_often, args=(index,)) for index in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {index: [expected[index]] * 5 for index in results}


def test_two_models_of_one_network_answer_two_streams_in_turn(melody: Path) -> None:
    model = edge.load_model()
    expected = list(edge.listen(melody))
    pairs = list(zip(edge.listen(melody, model=model), edge.listen(melody, model=model.another()), strict=True))
    assert [first for first, _ in pairs] == expected
    assert [second for _, second in pairs] == expected
