import dataclasses
import json
from collections.abc import Iterable

import pytest

from edge.benchmark.machine import this_machine
from edge.benchmark.measurement import END_TO_END, STAGES, Cost, Measurement, Tally, from_fields
from edge.benchmark.stopwatch import Spent, Stopwatch
from edge.benchmark.tables import verdict

MACHINE = dataclasses.replace(
    this_machine(), board="Raspberry Pi 9", governor="ondemand", temperature_c=61.0, throttling=()
)


def measurement(model: str = "a.tflite", p99_ms: float = 2.0, cpu_ms: float = 4.0, rtf: float = 0.004) -> Measurement:
    return Measurement(
        model=model,
        name="model",
        mode="stream",
        format="float32",
        runtime="runtime 1",
        runtime_threads=1,
        model_bytes=1000,
        hop_s=0.5,
        hops=100,
        costs={stage: Cost(1.0, 1.5, p99_ms, 3.0, cpu_ms) for stage in (*STAGES, END_TO_END)},
        real_time_factor=rtf,
        resident_bytes=None,
        peak_resident_bytes=None,
        process_threads=None,
        ready_ms=100.0,
        first_answer_ms=110.0,
        first_answer_audio_s=3.0,
    )


def tally_of(walls_ms: Iterable[int], cpu_ms: int = 2) -> Tally:
    tally = Tally(200, hop_s=0.5)
    for ms in walls_ms:
        tally.add(dict.fromkeys((*STAGES, END_TO_END), Spent(wall=ms * 1_000_000, cpu=cpu_ms * 1_000_000)))
    return tally


def test_percentiles_of_known_times() -> None:
    expected = Cost(p50_ms=50, p95_ms=95, p99_ms=99, worst_ms=100, cpu_ms_per_audio_s=4)
    assert tally_of(range(101)).cost(END_TO_END) == expected


def test_real_time_factor_is_processing_time_over_audio_time() -> None:
    assert tally_of([50] * 3).real_time_factor == pytest.approx(0.1)


def test_a_hop_that_takes_for_ever_is_as_long_as_can_be_told() -> None:
    assert tally_of([1, 9_000]).cost(END_TO_END).worst_ms == pytest.approx(4295, rel=1e-3)


def test_a_measurement_survives_json() -> None:
    assert from_fields(json.loads(json.dumps(dataclasses.asdict(measurement())))) == measurement()


def test_a_stopwatch_sees_calls_that_a_part_makes_itself_and_starts_anew_when_taken() -> None:
    class Part:
        def outer(self) -> int:
            return self.inner() + self.inner()

        def inner(self) -> int:
            return sum(range(1000))

    part, outer, inner = Part(), Stopwatch(), Stopwatch()
    inner.watch(part, "inner")
    outer.watch(part, "outer")
    assert part.outer() == 2 * sum(range(1000))
    whole, of_it = outer.take(), inner.take()
    assert whole.wall >= of_it.wall > 0
    assert whole.cpu >= of_it.cpu
    assert outer.take() == inner.take() == Spent()


def test_the_verdict_names_hop_and_share() -> None:
    expected = (
        "This machine (Raspberry Pi 9, runtime 1, governor ondemand, temperature 61.0 °C, throttling none) keeps up at "
        "a hop of 0.5 s with 0.40% of one core (a.tflite)."
    )
    assert verdict([measurement()], MACHINE) == expected


def test_the_verdict_spans_several_models() -> None:
    said = verdict([measurement("a.onnx"), measurement("b.onnx", cpu_ms=20)], MACHINE)
    assert "2 models, which take from 0.40% of one core (a.onnx) to 2.00% (b.onnx)" in said


@pytest.mark.parametrize("late", [{"p99_ms": 501.0}, {"rtf": 1.1}])
def test_the_verdict_names_what_comes_late(late: dict[str, float]) -> None:
    slow = measurement("slow.tflite", cpu_ms=900, **late)
    assert ") does not keep up at a hop of 0.5 s: 90.00% of one core" in verdict([slow], MACHINE)
    said = verdict([measurement(), slow], MACHINE)
    assert ") keeps up at" in said
    assert said.endswith("; it does not with 90.00% of one core (slow.tflite).")
