from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers import datasets
from support import synthesise

from edge.errors import EdgeError
from train.augment.variants import ROOMS, SPEEDS, VOCODED
from train.corpus.clips import Clip
from train.corpus.dataset import Dataset, Part
from train.distillation import targets as distil
from train.distillation.musicnn import FEATURES, TAGS
from train.distillation.targets import Heard, hear, key_of, teach
from train.recipes import EDGE

ARTISTS, CLIPS, WINDOWS = 4, 3, 5
N_MELS = EDGE.front_end.n_mels


def corpus(artists: dict[str, str] | None = None, clips: int = CLIPS) -> Dataset:
    """Two classes of so many clips by each of ARTISTS artists on the training side, and two clips on the valid side."""
    found: dict[str, str] = {}
    sides: dict[str, list[Part]] = {"train": [], "valid": []}
    for label, name in enumerate(("calm", "loud")):
        for number in range(ARTISTS * clips + 1):
            clip = Clip(Path(f"{name}/{number}.wav"), f"{name}/{number}.wav", name)
            side = "train" if number < ARTISTS * clips else "valid"
            sides[side].append(Part(np.zeros((9, N_MELS), np.float16), clip, label))
            found[clip.name] = f"{name} {number // clips}"
    return replace(datasets.dataset(("calm", "loud"), sides), artists=found if artists is None else artists)


def heard(dataset: Dataset, seed: int = 0) -> Heard:
    """Signals: the classes differ in one feature, and every artist in eight of his own. And two unlabelled pieces."""
    rng = np.random.default_rng(seed)
    signals = {}
    artists = sorted(set(dataset.artists.values()))
    for part in (p for side in dataset.sides.values() for p in side):
        key = part.clip.name, None
        signals[key] = rng.normal(0, 0.3, (WINDOWS, FEATURES)).astype(np.float32)
        signals[key][:, 0] += 4 * part.label
        if part.clip.name in dataset.artists:
            own = 10 + 8 * artists.index(dataset.artists[part.clip.name])
            signals[key][:, own : own + 8] += 8
    unlabelled = []
    for label in (0, 1):
        found = rng.normal(0, 0.3, (WINDOWS, FEATURES)).astype(np.float32)
        found[:, 0] += 4 * label
        unlabelled.append((np.full((9, N_MELS), label, np.float16), found))
    return Heard(signals, unlabelled)


def test_every_training_clip_has_a_lesson_and_no_other() -> None:
    dataset = corpus()
    lessons, unlabelled = teach(dataset, heard(dataset))
    assert lessons.keys() == {(part.clip.name, None) for part in dataset.sides["train"]}
    for lesson in [*lessons.values(), *(lesson for _, lesson in unlabelled)]:
        assert lesson.features.shape == (WINDOWS, FEATURES)
        assert lesson.opinion.shape == (2,)
        assert lesson.opinion.sum() == pytest.approx(1, abs=1e-5)
        assert lesson.features.dtype == lesson.opinion.dtype == np.float32


def test_features_are_standard_over_all_that_is_learned_from() -> None:
    dataset = corpus()
    lessons, unlabelled = teach(dataset, heard(dataset))
    every = np.concatenate([lesson.features for lesson in [*lessons.values(), *(found for _, found in unlabelled)]])
    np.testing.assert_allclose(every.mean(axis=0), 0, atol=1e-4)
    assert 0.8 < every.std(axis=0).min() <= every.std(axis=0).max() <= 1


def test_a_feature_that_never_speaks_stays_small() -> None:
    dataset = corpus()
    given = heard(dataset)
    for found in [*given.signals.values(), *(found for _, found in given.unlabelled)]:
        found[:, 199] = 0
    given.signals["calm/0.wav", None][0, 199] = 1e-3
    lessons, _ = teach(dataset, given)
    assert np.abs(lessons["calm/0.wav", None].features[:, 199]).max() < 0.1


def test_the_held_back_side_has_no_part_in_any_lesson() -> None:
    dataset = corpus()
    given = heard(dataset)
    others = {(part.clip.name, None): np.full((2, FEATURES), 1e6, np.float32) for part in dataset.sides["valid"]}
    flipped = [replace(part, label=1 - part.label) for part in dataset.sides["valid"]]
    changed = replace(dataset, sides=dataset.sides | {"valid": flipped})
    first, again = teach(dataset, given), teach(changed, Heard(given.signals | others, given.unlabelled))
    for name, lesson in first[0].items():
        np.testing.assert_array_equal(lesson.features, again[0][name].features)
        np.testing.assert_array_equal(lesson.opinion, again[0][name].opinion)
    for (_, lesson), (_, other) in zip(first[1], again[1], strict=True):
        np.testing.assert_array_equal(lesson.features, other.features)
        np.testing.assert_array_equal(lesson.opinion, other.opinion)


def test_the_teacher_has_an_opinion_on_what_has_no_label() -> None:
    dataset = corpus()
    given = heard(dataset)
    _, unlabelled = teach(dataset, given)
    assert [int(lesson.opinion.argmax()) for _, lesson in unlabelled] == [0, 1]
    for (log_mel, _), (same, _) in zip(unlabelled, given.unlabelled, strict=True):
        assert log_mel is same


def test_the_opinion_on_a_clip_comes_from_other_artists() -> None:
    """One of the calm sounds like the loud, but for what is his own: only his other clips would give him away."""
    dataset = corpus()
    given = heard(dataset)
    his = [(name, None) for name, artist in dataset.artists.items() if artist == "calm 0"]
    for name in his:
        given.signals[name][:, 0] += 4
    by_others, _ = teach(dataset, given)
    by_all, _ = teach(replace(dataset, artists={}), given)
    for name in his:
        assert by_others[name].opinion[0] < 0.5 < by_all[name].opinion[0]


def at_other_speeds(dataset: Dataset) -> Dataset:
    """With copies of the training side."""
    return replace(dataset, copies=[replace(p, kind=k) for k in (*SPEEDS, *ROOMS) for p in dataset.sides["train"]])


def test_a_copy_at_another_speed_has_features_of_its_own_and_the_opinion_on_its_clip() -> None:
    dataset = at_other_speeds(corpus())
    given = heard(dataset)
    own = {(p.clip.name, p.kind): given.signals[p.clip.name, None] + 1 for p in dataset.copies if p.kind in SPEEDS}
    lessons, _ = teach(dataset, Heard(given.signals | own, given.unlabelled))
    assert {key_of(p) for p in [*dataset.sides["train"], *dataset.copies]} == lessons.keys()
    for kind in SPEEDS:
        one, other = lessons["calm/0.wav", None], lessons["calm/0.wav", kind]
        assert np.abs(one.features - other.features).min() > 0.1
        np.testing.assert_array_equal(one.opinion, other.opinion)


def test_in_a_room_and_through_the_vocoder_there_is_nothing_else_to_say() -> None:
    part = corpus().sides["train"][0]
    for kind in (*ROOMS, VOCODED):
        assert key_of(replace(part, kind=kind)) == key_of(part) == ("calm/0.wav", None)
    assert key_of(replace(part, kind="slower")) == ("calm/0.wav", "slower")


def test_a_class_of_reconstructions_is_not_known_by_their_vocoder() -> None:
    """The loud are reconstructed, which is all that tells them from two pieces of loud music without a vocoder."""
    dataset, vocoder = corpus(), 20
    given = heard(dataset)
    for part in dataset.sides["train"]:
        given.signals[part.clip.name, None][:, vocoder] += 30 * part.label
    calm = [part for part in dataset.sides["train"] if part.label == 0]
    copies = [replace(part, kind=VOCODED, reconstructed=True) for part in calm]
    through = {
        (p.clip.name, VOCODED): given.signals[p.clip.name, None] + 30 * np.eye(FEATURES)[vocoder] for p in copies
    }

    def opinion_on_loud(dataset: Dataset, given: Heard) -> float:
        lessons, unlabelled = teach(dataset, given)
        assert {kind for _, kind in lessons} == {None}
        return float(unlabelled[1][1].opinion[1])

    informed = opinion_on_loud(
        replace(dataset, vocoded={"train": copies}), Heard(given.signals | through, given.unlabelled)
    )
    assert opinion_on_loud(dataset, given) < 0.5 < informed


def test_a_clip_that_is_there_twice_is_no_second_witness() -> None:
    dataset = corpus()
    given = heard(dataset)
    first, _ = teach(dataset, given)
    again, _ = teach(replace(dataset, sides=dataset.sides | {"train": dataset.sides["train"] * 2}), given)
    np.testing.assert_array_equal(first["loud/0.wav", None].opinion, again["loud/0.wav", None].opinion)


def test_a_class_of_one_clip_is_one_sentence() -> None:
    dataset = corpus()
    loud = [part for part in dataset.sides["train"] if part.label == 1]
    few = [part for part in dataset.sides["train"] if part.label == 0] + loud[:1]
    with pytest.raises(EdgeError, match="one artist or clip on the training side"):
        teach(replace(dataset, sides=dataset.sides | {"train": few}), heard(dataset))


def test_classes_of_one_artist_each_are_taught_or_refused_in_one_sentence() -> None:
    dataset = corpus()
    artists = {name: name.split("/")[0] for name in dataset.artists}
    try:
        lessons, _ = teach(replace(dataset, artists=artists), heard(dataset))
    except EdgeError:
        return
    assert all(np.isfinite(lesson.opinion).all() for lesson in lessons.values())


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A teacher who says of a file how many bytes it has; of a copy ten thousand more."""

    def signals(paths: list[Path], folder: Path, kind: str | None = None) -> list[np.ndarray | str]:
        more = 10_000 if kind else 0
        return [
            np.full((2, TAGS + FEATURES), p.stat().st_size + more, np.float32) if "bad" not in p.name else "of no worth"
            for p in paths
        ]

    monkeypatch.setattr(distil, "signals", signals)


@pytest.fixture
def real(tmp_path: Path) -> Dataset:
    """The dataset of `corpus`, its clips being files."""
    dataset = corpus(clips=1)
    for part in (p for side in dataset.sides.values() for p in side):
        (tmp_path / "data" / part.clip.label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / part.clip.name).write_bytes(part.clip.name.encode())
    sides = {
        side: [replace(p, clip=replace(p.clip, path=tmp_path / "data" / p.clip.name)) for p in parts]
        for side, parts in dataset.sides.items()
    }
    return replace(dataset, sides=sides)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder of music in folders."""
    (tmp_path / "music" / "deep").mkdir(parents=True)
    for number, name in enumerate(("deep/a.ogg", "b.WAV")):
        soundfile.write(tmp_path / "music" / name, synthesise(4.0, 22_050, 1, number), 22_050)
    (tmp_path / "music" / "notes.txt").touch()
    return tmp_path / "music"


@pytest.mark.usefixtures("said")
def test_all_clips_and_all_music_below_the_folders_are_heard(real: Dataset, music: Path, tmp_path: Path) -> None:
    found = hear(real, [music], EDGE, tmp_path / "cache")
    for (name, kind), features in found.signals.items():
        assert kind is None
        np.testing.assert_array_equal(features, np.full((2, FEATURES), len(name)))
    assert len(found.signals) == 10
    frames = EDGE.front_end.frame_count(4 * 22_050)
    assert [(log_mel.shape, features.shape) for log_mel, features in found.unlabelled] == [
        ((frames, N_MELS), (2, FEATURES))
    ] * 2


@pytest.mark.usefixtures("said")
def test_copies_at_other_speeds_are_heard_too(real: Dataset, music: Path, tmp_path: Path) -> None:
    found = hear(at_other_speeds(real), [music], EDGE, tmp_path / "cache").signals
    train, valid = ({p.clip.name for p in real.sides[side]} for side in ("train", "valid"))
    assert found.keys() == {(n, k) for n in train for k in (None, *SPEEDS)} | {(n, None) for n in valid}
    assert all(features[0, 0] == len(name) + 10_000 * (kind is not None) for (name, kind), features in found.items())


@pytest.mark.usefixtures("said")
def test_vocoded_copies_of_the_training_side_are_heard_too(real: Dataset, music: Path, tmp_path: Path) -> None:
    vocoded = {side: [replace(part, kind=VOCODED) for part in parts] for side, parts in real.sides.items()}
    found = hear(replace(real, vocoded=vocoded), [music], EDGE, tmp_path / "cache").signals
    assert {name for name, kind in found if kind == VOCODED} == {p.clip.name for p in real.sides["train"]}


@pytest.mark.usefixtures("said")
def test_music_that_can_not_be_heard_is_named(
    real: Dataset, music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (music / "text.ogg").write_text("this is no audio")
    soundfile.write(music / "bad.wav", synthesise(4.0, 22_050, 1), 22_050)
    assert len(hear(real, [music], EDGE, tmp_path / "cache").unlabelled) == 2
    said = capsys.readouterr().err
    assert "text.ogg: unreadable" in said
    assert "bad.wav: of no worth" in said


@pytest.mark.usefixtures("said")
def test_a_clip_that_the_teacher_can_not_hear_is_one_sentence(real: Dataset, music: Path, tmp_path: Path) -> None:
    part = real.sides["train"][0]
    bad = replace(part, clip=replace(part.clip, path=tmp_path / "bad.wav"))
    with pytest.raises(EdgeError, match=r"the teacher can't hear calm/0.wav: of no worth"):
        hear(replace(real, sides=real.sides | {"train": [bad]}), [music], EDGE, tmp_path / "cache")


@pytest.mark.usefixtures("said")
def test_a_folder_without_music_is_one_sentence(real: Dataset, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EdgeError, match=r"no audio below .*empty"):
        hear(real, [tmp_path / "empty"], EDGE, tmp_path / "cache")
