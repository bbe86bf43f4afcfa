from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.benchmark.whole_command import Spread, WholeCommand, cpu_ms, separated
from edge.errors import EdgeError
from edge.model.load import SHIPPED_MODEL


def test_the_cost_of_a_second_is_separated_from_the_start_up() -> None:
    found = separated([230.0, 300.0, 250.0], [530.0, 680.0, 580.0], short_s=30.0, long_s=330.0)
    assert found == WholeCommand(
        runs=3,
        short_audio_s=30.0,
        long_audio_s=330.0,
        cpu_ms_per_audio_s=Spread(min=pytest.approx(1.0), median=pytest.approx(1.1)),
        start_up_cpu_ms=Spread(min=pytest.approx(200.0), median=pytest.approx(217.0)),
    )


def test_each_run_on_the_long_file_is_compared_with_its_neighbour() -> None:
    found = separated([250.0, 200.0, 210.0], [400.0, 480.0, 420.0], short_s=30.0, long_s=130.0)
    assert (found.cpu_ms_per_audio_s.min, found.cpu_ms_per_audio_s.median) == pytest.approx((1.5, 2.1))


def test_the_time_of_the_command_includes_its_start(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "noise.wav", np.random.default_rng(0).normal(0, 0.1, 5 * 22_050), 22_050)
    assert 20 < cpu_ms(SHIPPED_MODEL, tmp_path / "noise.wav", 0.5) < 60_000


def test_a_command_that_fails_is_an_error_with_its_sentence(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match=r"^edge-listen on .*model\.tflite: .*missing\.wav"):
        cpu_ms(SHIPPED_MODEL, tmp_path / "missing.wav", 0.5)
