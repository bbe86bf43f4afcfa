import dataclasses
import json
from collections.abc import Iterable

import pytest
from helpers.measurements import measurement

from edge.benchmark.measurement import END_TO_END, STAGES, Cost, Tally, from_fields
from edge.benchmark.stopwatch import Spent


def tally_of(walls_ms: Iterable[int], cpu_ms: int = 2) -> Tally:
    tally = Tally(200, hop_s=0.5)
    for ms in walls_ms:
        tally.add(dict.fromkeys((*STAGES, END_TO_END), Spent(wall=ms * 1_000_000, cpu=cpu_ms * 1_000_000)))
    return tally


def test_percentiles_of_known_times() -> None:
    expected = Cost(p50_ms=50, p95_ms=95, p99_ms=99, worst_ms=100, cpu_ms_per_audio_s=4)
    assert tally_of(range(101)).cost(END_TO_END) == expected


def test_the_real_time_factor_is_processing_time_over_audio_time() -> None:
    assert tally_of([50] * 3).real_time_factor == pytest.approx(0.1)


def test_a_very_long_hop_counts_as_the_longest_that_can_be_stored() -> None:
    assert tally_of([1, 9_000]).cost(END_TO_END).worst_ms == pytest.approx(4295, rel=1e-3)


def test_a_measurement_survives_json() -> None:
    assert from_fields(json.loads(json.dumps(dataclasses.asdict(measurement())))) == measurement()
