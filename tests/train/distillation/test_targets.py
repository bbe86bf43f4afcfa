from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers import datasets
from helpers.support import synthesise

from edge.errors import EdgeError
from train.augment.variants import ROOMS, SPEEDS, VOCODED
from train.corpus.clips import Clip
from train.corpus.dataset import Dataset, Example
from train.distillation import targets
from train.distillation.musicnn import EMBEDDING, TAGS
from train.distillation.targets import TeacherEmbeddings, make_targets, target_key, teacher_embeddings
from train.recipes import EDGE

pytestmark = pytest.mark.workstation

ARTISTS, CLIPS, WINDOWS = 4, 3, 5
N_MELS = EDGE.front_end.n_mels


def corpus(artists: dict[str, str] | None = None, clips: int = CLIPS) -> Dataset:
    """Two classes of so many clips by each of ARTISTS artists on the training side, and two clips on the valid side."""
    found: dict[str, str] = {}
    sides: dict[str, list[Example]] = {"train": [], "valid": []}
    for label, name in enumerate(("calm", "loud")):
        for number in range(ARTISTS * clips + 1):
            clip = Clip(Path(f"{name}/{number}.wav"), f"{name}/{number}.wav", name)
            side = "train" if number < ARTISTS * clips else "valid"
            sides[side].append(Example(np.zeros((9, N_MELS), np.float16), clip, label))
            found[clip.name] = f"{name} {number // clips}"
    return replace(datasets.dataset(("calm", "loud"), sides), artists=found if artists is None else artists)


def embeddings_of(dataset: Dataset, seed: int = 0) -> TeacherEmbeddings:
    """Embeddings: classes differ in one dimension, each artist in eight of its own. And of two unlabelled pieces."""
    rng = np.random.default_rng(seed)
    signals = {}
    artists = sorted(set(dataset.artists.values()))
    for part in (p for side in dataset.sides.values() for p in side):
        key = part.clip.name, None
        signals[key] = rng.normal(0, 0.3, (WINDOWS, EMBEDDING)).astype(np.float32)
        signals[key][:, 0] += 4 * part.label
        if part.clip.name in dataset.artists:
            own = 10 + 8 * artists.index(dataset.artists[part.clip.name])
            signals[key][:, own : own + 8] += 8
    unlabelled = []
    for label in (0, 1):
        found = rng.normal(0, 0.3, (WINDOWS, EMBEDDING)).astype(np.float32)
        found[:, 0] += 4 * label
        unlabelled.append((np.full((9, N_MELS), label, np.float16), found))
    return TeacherEmbeddings(signals, unlabelled)


def test_exactly_the_training_clips_have_targets() -> None:
    dataset = corpus()
    soft_targets, unlabelled = make_targets(dataset, embeddings_of(dataset))
    assert soft_targets.keys() == {(part.clip.name, None) for part in dataset.sides["train"]}
    for target in [*soft_targets.values(), *(target for _, target in unlabelled)]:
        assert target.embeddings.shape == (WINDOWS, EMBEDDING)
        assert target.probabilities.shape == (2,)
        assert target.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert target.embeddings.dtype == target.probabilities.dtype == np.float32


def test_embeddings_are_standardised_over_labelled_and_unlabelled_music() -> None:
    dataset = corpus()
    soft_targets, unlabelled = make_targets(dataset, embeddings_of(dataset))
    every = np.concatenate(
        [target.embeddings for target in [*soft_targets.values(), *(found for _, found in unlabelled)]]
    )
    np.testing.assert_allclose(every.mean(axis=0), 0, atol=1e-4)
    assert 0.8 < every.std(axis=0).min() <= every.std(axis=0).max() <= 1


def test_a_dimension_that_is_nearly_always_zero_stays_small() -> None:
    dataset = corpus()
    given = embeddings_of(dataset)
    for found in [*given.labelled.values(), *(found for _, found in given.unlabelled)]:
        found[:, 199] = 0
    given.labelled["calm/0.wav", None][0, 199] = 1e-3
    soft_targets, _ = make_targets(dataset, given)
    assert np.abs(soft_targets["calm/0.wav", None].embeddings[:, 199]).max() < 0.1


def test_the_held_back_side_does_not_influence_targets() -> None:
    dataset = corpus()
    given = embeddings_of(dataset)
    others = {(part.clip.name, None): np.full((2, EMBEDDING), 1e6, np.float32) for part in dataset.sides["valid"]}
    flipped = [replace(part, label=1 - part.label) for part in dataset.sides["valid"]]
    changed = replace(dataset, sides=dataset.sides | {"valid": flipped})
    first, again = (
        make_targets(dataset, given),
        make_targets(changed, TeacherEmbeddings(given.labelled | others, given.unlabelled)),
    )
    for name, target in first[0].items():
        np.testing.assert_array_equal(target.embeddings, again[0][name].embeddings)
        np.testing.assert_array_equal(target.probabilities, again[0][name].probabilities)
    for (_, target), (_, other) in zip(first[1], again[1], strict=True):
        np.testing.assert_array_equal(target.embeddings, other.embeddings)
        np.testing.assert_array_equal(target.probabilities, other.probabilities)


def test_unlabelled_music_gets_label_probabilities() -> None:
    dataset = corpus()
    given = embeddings_of(dataset)
    _, unlabelled = make_targets(dataset, given)
    assert [int(target.probabilities.argmax()) for _, target in unlabelled] == [0, 1]
    for (log_mel, _), (same, _) in zip(unlabelled, given.unlabelled, strict=True):
        assert log_mel is same


def test_the_probabilities_of_a_clip_come_from_other_artists() -> None:
    """One calm artist resembles the loud ones; only other clips of the same artist would reveal the class."""
    dataset = corpus()
    given = embeddings_of(dataset)
    his = [(name, None) for name, artist in dataset.artists.items() if artist == "calm 0"]
    for name in his:
        given.labelled[name][:, 0] += 4
    by_others, _ = make_targets(dataset, given)
    by_all, _ = make_targets(replace(dataset, artists={}), given)
    for name in his:
        assert by_others[name].probabilities[0] < 0.5 < by_all[name].probabilities[0]


def at_other_speeds(dataset: Dataset) -> Dataset:
    """With copies of the training side."""
    return replace(dataset, variants=[replace(p, variant=k) for k in (*SPEEDS, *ROOMS) for p in dataset.sides["train"]])


def test_a_variant_at_another_speed_has_its_own_embeddings_and_the_probabilities_of_its_clip() -> None:
    dataset = at_other_speeds(corpus())
    given = embeddings_of(dataset)
    own = {
        (p.clip.name, p.variant): given.labelled[p.clip.name, None] + 1 for p in dataset.variants if p.variant in SPEEDS
    }
    soft_targets, _ = make_targets(dataset, TeacherEmbeddings(given.labelled | own, given.unlabelled))
    assert {target_key(p) for p in [*dataset.sides["train"], *dataset.variants]} == soft_targets.keys()
    for kind in SPEEDS:
        one, other = soft_targets["calm/0.wav", None], soft_targets["calm/0.wav", kind]
        assert np.abs(one.embeddings - other.embeddings).min() > 0.1
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


def test_variants_in_a_room_and_through_the_vocoder_share_the_target_of_their_clip() -> None:
    part = corpus().sides["train"][0]
    for kind in (*ROOMS, VOCODED):
        assert target_key(replace(part, variant=kind)) == target_key(part) == ("calm/0.wav", None)
    assert target_key(replace(part, variant="slower")) == ("calm/0.wav", "slower")


def test_the_teacher_does_not_recognise_reconstructions_by_their_vocoder() -> None:
    """The loud clips are reconstructed; two unlabelled loud pieces differ from them by the vocoder alone."""
    dataset, vocoder = corpus(), 20
    given = embeddings_of(dataset)
    for part in dataset.sides["train"]:
        given.labelled[part.clip.name, None][:, vocoder] += 30 * part.label
    calm = [part for part in dataset.sides["train"] if part.label == 0]
    copies = [replace(part, variant=VOCODED, reconstructed=True) for part in calm]
    through = {
        (p.clip.name, VOCODED): given.labelled[p.clip.name, None] + 30 * np.eye(EMBEDDING)[vocoder] for p in copies
    }

    def opinion_on_loud(dataset: Dataset, given: TeacherEmbeddings) -> float:
        soft_targets, unlabelled = make_targets(dataset, given)
        assert {kind for _, kind in soft_targets} == {None}
        return float(unlabelled[1][1].probabilities[1])

    informed = opinion_on_loud(
        replace(dataset, vocoded={"train": copies}), TeacherEmbeddings(given.labelled | through, given.unlabelled)
    )
    assert opinion_on_loud(dataset, given) < 0.5 < informed


def test_a_clip_that_is_listed_twice_counts_once_in_the_regression() -> None:
    dataset = corpus()
    given = embeddings_of(dataset)
    first, _ = make_targets(dataset, given)
    again, _ = make_targets(replace(dataset, sides=dataset.sides | {"train": dataset.sides["train"] * 2}), given)
    np.testing.assert_array_equal(first["loud/0.wav", None].probabilities, again["loud/0.wav", None].probabilities)


def test_a_class_with_one_clip_is_refused() -> None:
    dataset = corpus()
    loud = [part for part in dataset.sides["train"] if part.label == 1]
    few = [part for part in dataset.sides["train"] if part.label == 0] + loud[:1]
    with pytest.raises(EdgeError, match="one artist on the training side"):
        make_targets(replace(dataset, sides=dataset.sides | {"train": few}), embeddings_of(dataset))


def test_classes_of_one_artist_each_are_refused() -> None:
    dataset = corpus()
    artists = {name: name.split("/")[0] for name in dataset.artists}
    with pytest.raises(EdgeError, match="one artist on the training side"):
        make_targets(replace(dataset, artists=artists), embeddings_of(dataset))


@pytest.fixture
def fake_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    """A teacher whose outputs are the size of the file in bytes; ten thousand more for a variant."""

    def musicnn_outputs(paths: list[Path], folder: Path, kind: str | None = None) -> list[np.ndarray | str]:
        more = 10_000 if kind else 0
        return [
            np.full((2, TAGS + EMBEDDING), p.stat().st_size + more, np.float32)
            if "bad" not in p.name
            else "of no worth"
            for p in paths
        ]

    monkeypatch.setattr(targets, "musicnn_outputs", musicnn_outputs)


@pytest.fixture
def real(tmp_path: Path) -> Dataset:
    """The dataset of `corpus` with clips that exist as files."""
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


@pytest.mark.usefixtures("fake_teacher")
def test_the_teacher_runs_on_all_clips_and_all_music_below_folders(real: Dataset, music: Path, tmp_path: Path) -> None:
    found = teacher_embeddings(real, [music], EDGE, tmp_path / "cache")
    for (name, kind), features in found.labelled.items():
        assert kind is None
        np.testing.assert_array_equal(features, np.full((2, EMBEDDING), len(name)))
    assert len(found.labelled) == 10
    frames = EDGE.front_end.frame_count(4 * 22_050)
    assert [(log_mel.shape, features.shape) for log_mel, features in found.unlabelled] == [
        ((frames, N_MELS), (2, EMBEDDING))
    ] * 2


@pytest.mark.usefixtures("fake_teacher")
def test_the_teacher_runs_on_variants_at_other_speeds(real: Dataset, music: Path, tmp_path: Path) -> None:
    found = teacher_embeddings(at_other_speeds(real), [music], EDGE, tmp_path / "cache").labelled
    train, valid = ({p.clip.name for p in real.sides[side]} for side in ("train", "valid"))
    assert found.keys() == {(n, k) for n in train for k in (None, *SPEEDS)} | {(n, None) for n in valid}
    assert all(features[0, 0] == len(name) + 10_000 * (kind is not None) for (name, kind), features in found.items())


@pytest.mark.usefixtures("fake_teacher")
def test_the_teacher_runs_on_vocoded_variants_of_the_training_side(real: Dataset, music: Path, tmp_path: Path) -> None:
    vocoded = {side: [replace(part, variant=VOCODED) for part in parts] for side, parts in real.sides.items()}
    found = teacher_embeddings(replace(real, vocoded=vocoded), [music], EDGE, tmp_path / "cache").labelled
    assert {name for name, kind in found if kind == VOCODED} == {p.clip.name for p in real.sides["train"]}


@pytest.mark.usefixtures("fake_teacher")
def test_unusable_music_is_named_and_skipped(
    real: Dataset, music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (music / "text.ogg").write_text("this is no audio")
    soundfile.write(music / "bad.wav", synthesise(4.0, 22_050, 1), 22_050)
    assert len(teacher_embeddings(real, [music], EDGE, tmp_path / "cache").unlabelled) == 2
    errors = capsys.readouterr().err
    assert "text.ogg: unreadable" in errors
    assert "bad.wav: of no worth" in errors


@pytest.mark.usefixtures("fake_teacher")
def test_a_clip_that_the_teacher_cannot_use_is_refused(real: Dataset, music: Path, tmp_path: Path) -> None:
    part = real.sides["train"][0]
    bad = replace(part, clip=replace(part.clip, path=tmp_path / "bad.wav"))
    with pytest.raises(EdgeError, match=r"the teacher cannot use calm/0.wav: of no worth"):
        teacher_embeddings(replace(real, sides=real.sides | {"train": [bad]}), [music], EDGE, tmp_path / "cache")


@pytest.mark.usefixtures("fake_teacher")
def test_a_folder_without_music_is_refused(real: Dataset, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EdgeError, match=r"no audio below .*empty"):
        teacher_embeddings(real, [tmp_path / "empty"], EDGE, tmp_path / "cache")
