"""What is measured of answers, on answers made up for it."""

from pathlib import Path

import pytest
from support import stream_card

from benchmarks.accuracy.evaluation import CONFIDENCES, Judged, paired, report, share, with_groups
from edge.decision import Answer
from train.corpus import Clip

CARD = stream_card()  # labels calm, loud, other


def judged(truth: str, state: str, likeliest: str | None, confidence: float = 0.8, source: str = "") -> Judged:
    """A clip of `truth`; the other labels share what the likeliest one leaves."""
    rest = [label for label in CARD.labels if label != likeliest]
    top = ((likeliest, confidence), *((label, (1 - confidence) / 2) for label in rest)) if likeliest else ()
    label = likeliest if state == "music" else None
    return Judged(Clip(Path("x"), "x", truth), source, Answer(30.0, state, label, confidence if top else 0.0, top))


MIXED = [
    judged("calm", "music", "calm", 0.95, "audio"),
    judged("calm", "music", "loud", 0.55, "audio"),
    judged("loud", "unknown", "loud", 0.45, "reconstructed"),
    judged("loud", "other", "other", 0.85, "reconstructed"),
    judged("loud", "silence", None),
]


def test_a_share_lies_in_its_interval() -> None:
    found = share([True, False, False, False])
    assert (found.value, found.n) == (0.25, 4)
    assert 0 < found.low < 0.25 < found.high < 1


def test_what_is_not_said_is_not_right() -> None:
    found = report(MIXED, CARD)
    assert found.accuracy["all"].value == 1 / 5
    assert {name: s.n for name, s in found.accuracy.items()} == {"all": 5, "audio": 2, "reconstructed": 2}
    assert {label: s.value for label, s in found.recall.items()} == {"calm": 0.5, "loud": 0.0}


def test_the_confusion_holds_every_clip_once() -> None:
    assert report(MIXED, CARD).confusion == {
        "calm": {"calm": 1, "loud": 1, "other": 0, "unknown": 0, "silence": 0},
        "loud": {"calm": 0, "loud": 0, "other": 1, "unknown": 1, "silence": 1},
    }


def test_music_without_a_genre_is_counted_by_state_and_together() -> None:
    found = report(MIXED, CARD).without_genre
    assert {name: s.value for name, s in found.items()} == {"all": 0.6, "other": 0.2, "unknown": 0.2, "silence": 0.2}


def test_the_curve_is_of_the_likeliest_labels_whatever_the_threshold_for_unknown() -> None:
    curve = report(MIXED, CARD).coverage
    assert list(curve) == [f"{x:.1f}" for x in CONFIDENCES]
    counts = {least: (s.value * s.n, s.n) if s else None for least, s in curve.items()}
    assert counts["0.0"] == (2, 5)
    assert counts["0.4"] == (2, 4)
    assert counts["0.5"] == (1, 3)
    assert counts["0.9"] == (1, 1)


def test_nothing_is_so_sure() -> None:
    assert report([judged("calm", "music", "calm", 0.6)], CARD).coverage["0.7"] is None


@pytest.mark.parametrize(("truth", "error"), [("calm", 0.25), ("loud", 0.75)])
def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy(truth: str, error: float) -> None:
    answers = [judged(truth, "music", "calm", 0.75), judged(truth, "silence", None)]
    assert report(answers, CARD).calibration_error == pytest.approx(error)


def test_silence_alone_has_no_calibration_error() -> None:
    assert report([judged("calm", "silence", None)], CARD).calibration_error is None


def test_a_difference_is_taken_clip_by_clip() -> None:
    everything = paired([False] * 9, [True] * 9)
    assert (everything.difference, everything.low, everything.high) == (1, 1, 1)
    swapped = paired([True, False] * 20, [False, True] * 20)
    assert swapped.difference == 0
    assert swapped.low < 0 < swapped.high


def test_a_clip_of_no_group_counts_for_all() -> None:
    found = with_groups([("a", True), ("", False)])
    assert {name: (s.value, s.n) for name, s in found.items()} == {"all": (0.5, 2), "a": (1.0, 1)}
