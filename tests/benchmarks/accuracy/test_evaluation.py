"""Evaluation of made-up answers."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from helpers.support import stream_card

from edge.answer import Answer

if TYPE_CHECKING:
    from benchmarks.accuracy.evaluation import Prediction

pytestmark = pytest.mark.workstation

CARD = stream_card()  # labels calm, loud, other


@pytest.fixture
def evaluation() -> ModuleType:
    from benchmarks.accuracy import evaluation

    return evaluation


def prediction(
    truth: str, state: str, likeliest: str | None, confidence: float = 0.8, source: str = ""
) -> "Prediction":
    """A clip of `truth`; the other labels share what the likeliest one leaves."""
    from benchmarks.accuracy.evaluation import Prediction
    from train.corpus.clips import Clip

    rest = [label for label in CARD.labels if label != likeliest]
    top = ((likeliest, confidence), *((label, (1 - confidence) / 2) for label in rest)) if likeliest else ()
    label = likeliest if state == "music" else None
    return Prediction(Clip(Path("x"), "x", truth), source, Answer(30.0, state, label, confidence if top else 0.0, top))


@pytest.fixture
def mixed() -> "list[Prediction]":
    return [
        prediction("calm", "music", "calm", 0.95, "audio"),
        prediction("calm", "music", "loud", 0.55, "audio"),
        prediction("loud", "unknown", "loud", 0.45, "reconstructed"),
        prediction("loud", "other", "other", 0.85, "reconstructed"),
        prediction("loud", "silence", None),
    ]


def test_a_share_lies_in_its_interval(evaluation: ModuleType) -> None:
    found = evaluation.share([True, False, False, False])
    assert (found.value, found.n) == (0.25, 4)
    assert 0 < found.low < 0.25 < found.high < 1


def test_an_answer_without_the_label_is_not_correct(evaluation: ModuleType, mixed: "list[Prediction]") -> None:
    found = evaluation.report(mixed, CARD)
    assert found.accuracy["all"].value == 1 / 5
    assert {name: s.n for name, s in found.accuracy.items()} == {"all": 5, "audio": 2, "reconstructed": 2}
    assert {label: s.value for label, s in found.recall.items()} == {"calm": 0.5, "loud": 0.0}


def test_the_confusion_holds_every_clip_once(evaluation: ModuleType, mixed: "list[Prediction]") -> None:
    assert evaluation.report(mixed, CARD).confusion == {
        "calm": {"calm": 1, "loud": 1, "other": 0, "unknown": 0, "silence": 0},
        "loud": {"calm": 0, "loud": 0, "other": 1, "unknown": 1, "silence": 1},
    }


def test_the_confusion_of_one_class_has_the_columns_of_all(evaluation: ModuleType) -> None:
    confusion = evaluation.report([prediction("calm", "silence", None)], CARD).confusion
    assert confusion == {"calm": {"calm": 0, "loud": 0, "other": 0, "unknown": 0, "silence": 1}}


def test_music_without_a_genre_is_counted_by_state_and_together(
    evaluation: ModuleType, mixed: "list[Prediction]"
) -> None:
    found = evaluation.report(mixed, CARD).without_genre
    assert {name: s.value for name, s in found.items()} == {"all": 0.6, "other": 0.2, "unknown": 0.2, "silence": 0.2}


def test_coverage_is_of_the_likeliest_labels_whatever_the_threshold_for_unknown(
    evaluation: ModuleType, mixed: "list[Prediction]"
) -> None:
    curve = evaluation.report(mixed, CARD).coverage
    assert list(curve) == [f"{x:.1f}" for x in evaluation.CONFIDENCES]
    counts = {least: (s.value * s.n, s.n) if s else None for least, s in curve.items()}
    assert counts["0.0"] == (2, 5)
    assert counts["0.4"] == (2, 4)
    assert counts["0.5"] == (1, 3)
    assert counts["0.9"] == (1, 1)


def test_coverage_is_none_above_every_confidence(evaluation: ModuleType) -> None:
    assert evaluation.report([prediction("calm", "music", "calm", 0.6)], CARD).coverage["0.7"] is None


@pytest.mark.parametrize(("truth", "error"), [("calm", 0.25), ("loud", 0.75)])
def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy(
    evaluation: ModuleType, truth: str, error: float
) -> None:
    predictions = [prediction(truth, "music", "calm", 0.75), prediction(truth, "silence", None)]
    assert evaluation.report(predictions, CARD).calibration_error == pytest.approx(error)


def test_silence_alone_has_no_calibration_error(evaluation: ModuleType) -> None:
    assert evaluation.report([prediction("calm", "silence", None)], CARD).calibration_error is None


def test_a_difference_is_taken_clip_by_clip(evaluation: ModuleType) -> None:
    everything = evaluation.paired([False] * 9, [True] * 9)
    assert (everything.difference, everything.low, everything.high) == (1, 1, 1)
    swapped = evaluation.paired([True, False] * 20, [False, True] * 20)
    assert swapped.difference == 0
    assert swapped.low < 0 < swapped.high


def test_a_clip_of_no_group_counts_for_all(evaluation: ModuleType) -> None:
    found = evaluation.with_groups([("a", True), ("", False)])
    assert {name: (s.value, s.n) for name, s in found.items()} == {"all": (0.5, 2), "a": (1.0, 1)}
