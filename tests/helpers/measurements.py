"""Results of edge.benchmark that no machine has measured."""

import dataclasses
from pathlib import Path

from edge.benchmark.machine import Machine, this_machine
from edge.benchmark.measurement import END_TO_END, STAGES, Cost, Measurement
from edge.benchmark.suite import Conditions, ModelResult, Results
from edge.benchmark.whole_command import Spread, WholeCommand

NETWORK = {
    "num_threads": 1,
    "Init": 9000.0,
    "First inference": 150.0,
    "Warmup (avg)": 61.24,
    "Inference (avg)": 60.0,
    "Memory footprint delta": {"init": 11.5, "overall": None},
}


def measurement(
    model: str = "a.tflite", p99_ms: float = 2.0, cpu_ms: float = 4.0, real_time_factor: float = 0.004
) -> Measurement:
    """One model at a hop of 0.5 s; memory is unknown."""
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
        real_time_factor=real_time_factor,
        resident_bytes=None,
        peak_resident_bytes=None,
        process_threads=None,
        ready_ms=100.0,
        first_answer_ms=110.0,
        first_answer_audio_s=3.0,
    )


def machine(board: str = "Raspberry Pi 9") -> Machine:
    """A board with a governor and a temperature, and the software of this machine."""
    return dataclasses.replace(
        this_machine(), board=board, governor="ondemand", temperature_c=61.0, throttling=(), load_average_1min=0.5
    )


def results(*measurements: Measurement) -> Results:
    """Results of these measurements, or of one."""
    command = WholeCommand(5, 30.0, 330.0, Spread(1.4, 1.5), Spread(200.0, 210.0))
    return Results(
        conditions=Conditions(Path("demo.ogg"), 0.5, 48_000, 300.0, False),
        before=machine(),
        after=machine(),
        models=tuple(ModelResult(m, NETWORK, command) for m in measurements or [measurement()]),
    )
