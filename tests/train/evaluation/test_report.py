from dataclasses import replace

import pytest
from helpers.predictions import SIX, corpus

from train.evaluation.report import measurements
from train.recipes import THRESHOLDS

pytestmark = pytest.mark.workstation


def test_measurements_are_about_music_unless_their_name_says_otherwise() -> None:
    found = measurements(SIX, corpus(SIX), THRESHOLDS, 0)
    assert (found["per_track"].n, found["per_track"].accuracy) == (6, pytest.approx(4 / 6, abs=1e-4))
    assert found["per_track_with_not_music"].n == 7
    assert (found["per_track_of_not_music"].n, found["per_track_of_not_music"].accuracy) == (1, 0)


def test_measurements_of_each_source() -> None:
    dataset = replace(corpus(SIX), sources={SIX.clips[0].name: "audio", SIX.clips[2].name: "reconstructed"})
    found = measurements(SIX, dataset, THRESHOLDS, 0)
    assert found["per_track_of_audio"].accuracy == 1
    assert found["per_track_of_reconstructed"].accuracy == 0
