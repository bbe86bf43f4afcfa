"""One measurement of a model, and the step from the times of single hops to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.benchmark.stopwatch import Spent

RESAMPLE = "resample"  # block of the source → mono samples at the model's rate
FRONT_END = "front_end"  # samples → normalised MFCCs, and the model's buffers
MODEL = "model"  # calls of the network
DECISION = "decision"  # the rest of the listener: cutting into hops, level, decision
STAGES = (RESAMPLE, FRONT_END, MODEL, DECISION)
END_TO_END = "end_to_end"  # block of the source in → answer out
MAX_HOP_NS = 2**32 - 1  # longer hops are counted as this
RUNTIME_THREADS = 1  # a device that listens has other things to do


@dataclass(frozen=True)
class Cost:
    """Wall time of a hop in ms, and CPU time in ms per second of audio, summed over all threads."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float
    cpu_ms_per_audio_s: float


@dataclass(frozen=True)
class Measurement:
    """One model in a process of its own. Memory is None on a system without /proc.

    `ready_ms` is the time from the parent's call that starts the process until the listener waits for audio: Python's
    start, the imports, and the model with its check. `first_answer_ms` continues to the model's first answer, which
    needs `first_answer_audio_s` of audio; here they come from a file, at once.
    """

    model: str  # its file, or the name of a competitor
    name: str  # in the model's card
    mode: str
    format: str
    runtime: str
    runtime_threads: int
    model_bytes: int | None  # None for a competitor
    hop_s: float
    hops: int  # measured, from the first answer on
    costs: dict[str, Cost]  # of STAGES and END_TO_END
    real_time_factor: float  # wall time over audio time, end to end
    resident_bytes: int | None  # at the end
    peak_resident_bytes: int | None
    process_threads: int | None  # including those of numpy's BLAS
    ready_ms: float
    first_answer_ms: float
    first_answer_audio_s: float

    @property
    def core_share(self) -> float:
        """Share of one core that listening takes."""
        return self.costs[END_TO_END].cpu_ms_per_audio_s / 1000

    @property
    def keeps_up(self) -> bool:
        """True if 99 of 100 answers are there before the next hop is complete."""
        return self.costs[END_TO_END].p99_ms < self.hop_s * 1000 and self.real_time_factor < 1


def from_fields(fields: dict[str, Any]) -> Measurement:
    """Inverse of `dataclasses.asdict`."""
    costs = {stage: Cost(**cost) for stage, cost in fields["costs"].items()}
    return Measurement(**{**fields, "costs": costs})


class Tally:
    """Time spent by each stage in each hop.

    Its memory is allocated at the start, so that the measured process does not grow because it is measured.
    """

    def __init__(self, hops: int, hop_s: float) -> None:
        self._hop_s = hop_s
        # Filled, because memory that was never written to is not resident yet; 32 bits hold up to 4.3 s.
        self._wall_ns = {stage: np.full(hops, 1, np.uint32) for stage in (*STAGES, END_TO_END)}
        self._cpu_ns = dict.fromkeys(self._wall_ns, 0)
        self.hops = 0

    def add(self, spent: Mapping[str, Spent]) -> None:
        """Add the times of one hop, by stage."""
        for stage, of_stage in spent.items():
            self._wall_ns[stage][self.hops] = min(of_stage.wall, MAX_HOP_NS)
            self._cpu_ns[stage] += of_stage.cpu
        self.hops += 1

    def cost(self, stage: str) -> Cost:
        """Percentiles (linear between ranks) and CPU time of a stage over the hops, of which there is at least one."""
        wall_ms = self._wall_ns[stage][: self.hops] / 1e6
        p50, p95, p99 = np.percentile(wall_ms, (50, 95, 99))
        cpu_ms = self._cpu_ns[stage] / 1e6 / (self.hops * self._hop_s)
        return Cost(float(p50), float(p95), float(p99), float(wall_ms.max()), cpu_ms)

    @property
    def real_time_factor(self) -> float:
        """Wall time over audio time, end to end: below 1 keeps up."""
        wall_s = float(self._wall_ns[END_TO_END][: self.hops].sum(dtype=np.float64)) / 1e9
        return wall_s / (self.hops * self._hop_s)
