import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import datasets
from hypothesis import given
from hypothesis import strategies as st

from edge.card import Thresholds
from train.corpus.clips import Clip
from train.corpus.dataset import Dataset, Part
from train.evaluation.predictions import Answers, Said, load_answers, merged, of_files, save_answers
from train.evaluation.report import (
    REFUSED_MUSIC,
    choose_thresholds,
    confidences,
    coverage_curve,
    coverage_table,
    measurements,
    write_folds,
)

LABELS = ("calm", "loud", "other")


def clip(number: int, label: int) -> Clip:
    name = f"{LABELS[label]}/{number}.wav"
    return Clip(Path(name), name, LABELS[label])


def answers(said: list[tuple[float, ...]], truth: list[int]) -> Answers:
    """One answer a clip."""
    every = Said(np.array(said, np.float32), np.arange(len(said)))
    return Answers([clip(*pair) for pair in enumerate(truth)], np.array(truth), every, every, every, every, None)


def corpus(found: Answers, not_music: tuple[str, ...] = ("other",)) -> Dataset:
    parts = [Part(np.zeros((1, 1)), c, int(label)) for c, label in zip(found.clips, found.labels, strict=True)]
    return datasets.dataset(LABELS, {"train": parts}, not_music)


def sure(confidence: float, label: int = 0) -> tuple[float, ...]:
    """An answer of that confidence, what is left shared by the others."""
    row = [(1 - confidence) / 2] * 3
    row[label] = confidence
    return tuple(row)


# Of six clips of music one is taken for no music and one gets the wrong label; the noise has no say.
SIX = answers(
    [sure(0.95), sure(0.75), sure(0.65), sure(0.55, 1), sure(0.85, 1), sure(0.9, 2), sure(0.5, 0)],
    [0, 0, 1, 1, 1, 0, 2],
)


def test_confidence_is_that_of_a_label_and_none_where_no_music_is_heard() -> None:
    confidence, right = confidences(SIX, corpus(SIX), 1.0)
    np.testing.assert_allclose(confidence, [0.95, 0.75, 0.65, 0.55, 0.85, 0], atol=1e-5)
    assert right.tolist() == [True, True, False, True, True, False]


def test_coverage_counts_what_gets_a_label_and_what_of_it_is_right() -> None:
    curve = coverage_curve(SIX, corpus(SIX), Thresholds(unknown_below=0.7))
    assert [point["threshold"] for point in curve] == [i / 10 for i in range(10)]
    counted = {0.0: (5, 4), 0.5: (5, 4), 0.6: (4, 3), 0.7: (3, 3), 0.8: (2, 2), 0.9: (1, 1)}
    for point in curve:
        if point["threshold"] in counted:
            labelled, right = counted[point["threshold"]]
            assert point["clips"] == labelled
            assert point["coverage"] == pytest.approx(labelled / 6, abs=1e-4)
            assert point["accuracy"] == pytest.approx(right / labelled, abs=1e-4)


def test_the_cards_own_threshold_is_on_the_curve() -> None:
    curve = coverage_curve(SIX, corpus(SIX), Thresholds(unknown_below=0.666))
    assert [p for p in curve if p["threshold"] == 0.666] == [
        {"threshold": 0.666, "coverage": 0.5, "accuracy": 1.0, "clips": 3}
    ]
    assert len(coverage_table(curve).splitlines()) == 12


def test_a_threshold_that_no_clip_reaches_has_no_accuracy() -> None:
    """None, as recall has it: NaN is no JSON."""
    unsure = answers([sure(0.5)] * 3, [0, 0, 0])
    curve = coverage_curve(unsure, corpus(unsure), Thresholds())
    assert curve[-1] == {"threshold": 0.9, "coverage": 0.0, "accuracy": None, "clips": 0}
    assert coverage_table(curve)


@st.composite
def music(draw: st.DrawFn) -> Answers:
    """Answers about music and some noise, of which no music is taken for noise."""
    rows = draw(st.lists(st.tuples(st.floats(0.4, 0.99), st.integers(0, 1)), min_size=1, max_size=150))
    said = [sure(confidence, label) for confidence, label in rows] + [sure(0.8, 2)] * 3
    truth = draw(st.lists(st.integers(0, 1), min_size=len(rows), max_size=len(rows)))
    return answers(said, [*truth, 2, 2, 2])


@given(music())
def test_coverage_falls(found: Answers) -> None:
    shares = [p["coverage"] for p in coverage_curve(found, corpus(found), Thresholds())]
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)


def refused(found: Answers) -> float:
    """The share of music that gets no label by the thresholds that are chosen for these answers."""
    thresholds = choose_thresholds(found, corpus(found))
    confidence, _ = confidences(found, corpus(found), thresholds.temperature)
    return float(np.mean(confidence < thresholds.unknown_below))


@given(music())
def test_a_small_share_of_music_is_refused_at_most(found: Answers) -> None:
    assert refused(found) <= REFUSED_MUSIC


def test_that_share_is_used() -> None:
    rng = np.random.default_rng(0)
    said = [
        sure(confidence, int(label))
        for confidence, label in zip(rng.uniform(0.4, 0.99, 1000), [0, 1] * 500, strict=True)
    ]
    found = answers(said, [0, 1] * 500)
    assert refused(found) == pytest.approx(REFUSED_MUSIC, abs=0.005)


def test_music_that_is_taken_for_none_already_leaves_nothing_to_refuse() -> None:
    found = answers([sure(0.9)] * 90 + [sure(0.9, 2)] * 10, [0] * 100)
    assert choose_thresholds(found, corpus(found)).unknown_below == 0


def test_without_a_class_of_no_music_nothing_is_unknown() -> None:
    found = answers([sure(0.9), sure(0.6, 1)], [0, 1])
    assert choose_thresholds(found, corpus(found, not_music=())).unknown_below == 0


def test_accuracy_is_of_music_unless_its_name_says_otherwise() -> None:
    found = measurements(SIX, corpus(SIX), Thresholds(), 0)
    assert (found["per_track"].n, found["per_track"].accuracy) == (6, pytest.approx(4 / 6, abs=1e-4))
    assert found["per_track_with_not_music"].n == 7
    assert (found["per_track_of_not_music"].n, found["per_track_of_not_music"].accuracy) == (1, 0)


def test_measurements_of_each_source() -> None:
    dataset = replace(corpus(SIX), sources={SIX.clips[0].name: "audio", SIX.clips[2].name: "reconstructed"})
    found = measurements(SIX, dataset, Thresholds(), 0)
    assert found["per_track_of_audio"].accuracy == 1
    assert found["per_track_of_reconstructed"].accuracy == 0


def test_answers_about_folds_are_as_about_one_side() -> None:
    one = replace(SIX, per_segment=Said(np.eye(3, dtype=np.float32)[[0, 1, 2]], np.array([0, 0, 6])))
    copies = Said(np.array([sure(0.7)], np.float32), np.array([2]))
    two = answers([sure(0.6), sure(0.7, 1)], [1, 0])
    both = merged([replace(two, clips=[clip(8, 1), clip(9, 0)]), replace(one, vocoded=copies)])
    assert [c.name for c in both.clips][:3] == ["loud/8.wav", "calm/9.wav", "calm/0.wav"]
    assert both.labels.tolist() == [1, 0, *SIX.labels]
    assert both.per_segment.clips.tolist() == [0, 1, 2, 2, 8]
    assert both.vocoded is not None
    assert both.vocoded.clips.tolist() == [4]
    np.testing.assert_array_equal(both.per_track.probabilities[2:], SIX.per_track.probabilities)


def test_kept_answers_come_back(tmp_path: Path) -> None:
    save_answers(tmp_path / "answers.npz", SIX)
    again = load_answers(tmp_path / "answers.npz", corpus(SIX))
    assert again.clips == SIX.clips
    np.testing.assert_array_equal(again.labels, SIX.labels)
    np.testing.assert_array_equal(again.per_track.probabilities, SIX.per_track.probabilities)
    np.testing.assert_array_equal(again.listening.clips, SIX.listening.clips)
    assert again.vocoded is None


def test_each_clip_of_the_folds_is_a_row(tmp_path: Path) -> None:
    dataset = corpus(SIX)
    folds = {c.name: i % 5 for i, c in enumerate(SIX.clips)}
    dataset = replace(dataset, folds=folds, sources={SIX.clips[1].name: "audio"})
    write_folds(SIX, dataset, tmp_path / "folds.csv")
    with (tmp_path / "folds.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {"clip": "calm/1.wav", "label": "calm", "source": "audio", "fold": "1", "said": "calm"}
    assert [row["said"] for row in rows] == ["calm", "calm", "calm", "loud", "loud", "other", "calm"]
    assert [row["label"] for row in rows] == ["calm", "calm", "loud", "loud", "loud", "calm", "other"]


def test_of_a_file_an_answer_of_a_stream_counts_for_as_long_as_it_has_listened() -> None:
    """Wrong after one segment and after two, right after three; windows, which forget, count alike."""
    said = Said(np.array([sure(0.8, 1), sure(0.8, 1), sure(0.9, 0)], np.float32), np.array([0, 0, 0]))
    stream = replace(answers([sure(0.9, 0)], [0]), listening=said)
    assert of_files(stream).probabilities.argmax() == 0
    assert of_files(replace(stream, whole_clip=None)).probabilities.argmax() == 1
