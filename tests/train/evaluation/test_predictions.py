from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.predictions import SIX, clip, corpus, predictions_of, sure

from train.evaluation.predictions import Predictions, concatenate, file_level, load_predictions, save_predictions

pytestmark = pytest.mark.workstation


def test_predictions_of_folds_are_concatenated() -> None:
    one = replace(SIX, per_segment=Predictions(np.eye(3, dtype=np.float32)[[0, 1, 2]], np.array([0, 0, 6])))
    copies = Predictions(np.array([sure(0.7)], np.float32), np.array([2]))
    two = predictions_of([sure(0.6), sure(0.7, 1)], [1, 0])
    both = concatenate([replace(two, clips=[clip(8, 1), clip(9, 0)]), replace(one, vocoded=copies)])
    assert [c.name for c in both.clips][:3] == ["loud/8.wav", "calm/9.wav", "calm/0.wav"]
    assert both.labels.tolist() == [1, 0, *SIX.labels]
    assert both.per_segment.clips.tolist() == [0, 1, 2, 2, 8]
    assert both.vocoded is not None
    assert both.vocoded.clips.tolist() == [4]
    np.testing.assert_array_equal(both.per_track.probabilities[2:], SIX.per_track.probabilities)


def test_saved_predictions_are_loaded_again(tmp_path: Path) -> None:
    save_predictions(tmp_path / "answers.npz", SIX)
    again = load_predictions(tmp_path / "answers.npz", corpus(SIX))
    assert again.clips == SIX.clips
    np.testing.assert_array_equal(again.labels, SIX.labels)
    np.testing.assert_array_equal(again.per_track.probabilities, SIX.per_track.probabilities)
    np.testing.assert_array_equal(again.listening.clips, SIX.listening.clips)
    assert again.vocoded is None


def test_predictions_of_a_stream_are_weighted_by_the_time_listened() -> None:
    """Wrong after one segment and after two, right after three. Windows have equal weights."""
    listening = Predictions(np.array([sure(0.8, 1), sure(0.8, 1), sure(0.9, 0)], np.float32), np.array([0, 0, 0]))
    stream = replace(predictions_of([sure(0.9, 0)], [0]), listening=listening)
    assert file_level(stream).probabilities.argmax() == 0
    assert file_level(replace(stream, whole_clip=None)).probabilities.argmax() == 1
