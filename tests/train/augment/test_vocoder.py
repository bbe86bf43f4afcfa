import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import train.corpus.prepare
from edge.features.mfcc import mfcc
from edge.model.card import Normalisation
from train import evaluate, fit
from train.augment.variants import VOCODED
from train.augment.vocoder import PEAK, vocode
from train.corpus import features
from train.corpus.cache import default_folder
from train.corpus.clips import Clip
from train.corpus.dataset import Dataset, Example
from train.corpus.features import compute_features
from train.corpus.prepare import prepare
from train.network.batches import CropBatches
from train.recipes import EDGE, SEED, Recipe

assert EDGE.stream is not None
STREAM = EDGE.stream
MakeCorpus = Callable[..., Path]
pytestmark = [pytest.mark.workstation, pytest.mark.usefixtures("small_edge")]


@pytest.fixture(scope="module")
def marked(make_corpus: MakeCorpus) -> Path:
    """A corpus whose hum is reconstructed, but for one clip on each side."""
    data = make_corpus(clips=6)
    with (data / "tracks.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["track", "genre", "split", "source"])
        for label in ("chirp", "hiss", "hum"):
            for i in range(6):
                source = "audio" if label != "hum" or i in (0, 4) else "reconstructed"
                writer.writerow([f"{label}.{i:05}", label, "valid" if i > 3 else "train", source])
    return data


def ready(data: Path, cache: Path, recipe: Recipe = EDGE) -> Dataset:
    return prepare(data, None, recipe, "lists", 0, cache)


@pytest.fixture(scope="module")
def dataset(marked: Path) -> Dataset:
    return ready(marked, default_folder())


def test_vocoded_audio_keeps_its_length_and_loudness_curve() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(66_150) / 22_050
    samples = (
        0.1 * np.sin(2 * np.pi * 440 * t) * (1 + np.sin(2 * np.pi * t)) + 0.001 * rng.normal(size=len(t))
    ).astype(np.float32)
    copy = vocode(samples, 22_050)
    assert copy.shape == samples.shape
    assert copy.dtype == np.float32
    assert np.abs(copy).max() == pytest.approx(PEAK)
    loudness, of_copy = (mfcc(x, EDGE.front_end)[:, 0] for x in (samples, copy))
    assert np.corrcoef(loudness, of_copy)[0, 1] > 0.8


def test_vocoded_silence_is_silence() -> None:
    np.testing.assert_array_equal(vocode(np.zeros(30_000, np.float32), 22_050), np.zeros(30_000))


def test_recorded_training_clips_have_a_vocoded_variant(dataset: Dataset) -> None:
    kinds: dict[str, list[bool]] = {}
    for part in [*dataset.sides["train"], *dataset.vocoded["train"]]:
        kinds.setdefault(part.clip.name, []).append(part.reconstructed)
    for name, found in kinds.items():
        only = name.startswith("hum") and not name.endswith("0.wav")
        assert found == ([True] if only else [False, True])


def test_the_held_back_side_has_vocoded_variants_apart_from_its_clips(dataset: Dataset) -> None:
    names = [part.clip.name for part in dataset.sides["valid"]]
    assert len(names) == len(set(names)) == 6
    assert {p.clip.name for p in dataset.vocoded["valid"]} == set(names) - {"hum/hum.00005.wav"}


def test_sounds_that_are_not_music_have_no_vocoded_variants(marked: Path, corpus: Path) -> None:
    dataset = prepare(marked, corpus / "hiss", EDGE, "lists", 0, default_folder())
    copied = {part.clip.label for copies in dataset.vocoded.values() for part in copies}
    assert copied == {"chirp", "hiss", "hum"} < set(dataset.labels)


def test_vocoded_variants_do_not_count_as_clips(dataset: Dataset) -> None:
    assert len(dataset.sides["train"]) == 12
    assert dataset.clips_per_class()["train"] == {"chirp": 4, "hiss": 4, "hum": 4}
    assert dataset.mostly_reconstructed == ("hum",)


def test_vocoded_variants_come_from_the_cache(
    marked: Path, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str | None] = []

    def compute_and_count(content: bytes, recipe: Recipe, kind: str | None = None) -> np.ndarray:
        calls.append(kind)
        return compute_features(content, recipe, kind)

    monkeypatch.setattr(features, "compute_features", compute_and_count)
    path = marked / "hum" / "hum.00000.wav"
    plain, copy, again = (features._features_or_reason(path, EDGE, tmp_path, kind) for kind in (None, VOCODED, VOCODED))
    assert calls == [None, VOCODED]
    assert not np.array_equal(plain, copy)
    np.testing.assert_array_equal(copy, again)
    in_dataset = next(p for p in dataset.vocoded["train"] if p.clip.path == path)
    np.testing.assert_allclose(copy[0], in_dataset.features, atol=1)


def test_a_corpus_of_recordings_is_not_vocoded(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def extract(*given: object) -> list[np.ndarray | str]:
        asked.append(given[3] if len(given) > 3 else None)
        return features.extract_features(*given)

    monkeypatch.setattr(train.corpus.prepare, "extract_features", extract)
    dataset = prepare(corpus, None, EDGE, "tracks", 0, default_folder())
    assert asked
    assert VOCODED not in asked
    assert not dataset.vocoded
    assert not any(part.reconstructed for side in dataset.sides.values() for part in side)
    assert dataset.mostly_reconstructed == ()


def test_the_notebooks_recipe_has_no_vocoded_variants(marked: Path, tmp_path: Path) -> None:
    dataset = ready(marked, tmp_path, SEED)
    assert not dataset.vocoded
    assert len(dataset.sides["train"]) == 2 * 12  # segments of 6.5 s


def crops(parts: list[Example], steps: int) -> np.ndarray:
    """The level in dB of what each crop of the class 0 was made of."""
    n_mfcc, n_mels = EDGE.front_end.n_mfcc, EDGE.front_end.n_mels
    nothing = replace(STREAM.augmentation, gain_db=0, eq_db=0, share=0, overdriven_share=0)
    stream = replace(STREAM, crop_windows=1, augmentation=nothing)
    batches = CropBatches(parts, 2, Normalisation((0.0,) * n_mfcc, (1.0,) * n_mfcc), EDGE, stream, seed=0, steps=steps)
    drawn = [x[y["probabilities"][:, 0, 0, 0] == 1] for x, y in batches.epoch(0)]
    return np.concatenate([x[:, 0, 0, 0] for x in drawn]) / np.sqrt(n_mels)


def part(level: float, label: int, reconstructed: bool) -> Example:
    clip = Clip(Path(f"{label}/{level}"), f"{label}/{level}", str(label))
    return Example(np.full((300, EDGE.front_end.n_mels), level, np.float16), clip, label, reconstructed)


def test_recordings_and_reconstructions_have_fixed_shares_of_the_crops() -> None:
    few, many = [part(1, 0, False)], [part(10 + i, 0, True) for i in range(60)]
    drawn = crops([*few, *many, part(0, 1, False), part(0, 1, True)], steps=600)
    assert np.mean(drawn > 5) == pytest.approx(STREAM.reconstructed_share, abs=0.02)  # four deviations of 9600 draws
    assert len(set(np.round(drawn))) > 55


def test_a_class_with_only_recordings_or_only_reconstructions_is_drawn_from_those() -> None:
    for kind in (False, True):
        drawn = crops([*(part(i, 0, kind) for i in range(4)), part(0, 1, False)], steps=10)
        assert {round(float(x)) for x in drawn} == {0, 1, 2, 3}


@pytest.mark.slow
def test_metrics_of_a_corpus_with_reconstructions_have_a_vocoder_check(marked: Path, tmp_path: Path) -> None:
    command_line = f"--data {marked} --recipe edge --split lists --epochs 2 --out {tmp_path / 'run'}"
    assert fit.main(command_line.split()) == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["per_track_of_vocoded"]["n"] == metrics["per_track_of_audio"]["n"] == 5
    check = metrics["called_mostly_reconstructed"]
    assert (check["classes"], check["n"]) == (["hum"], 4)
    assert 0 <= check["recorded"] <= 1
    assert 0 <= check["vocoded"] <= 1
    assert evaluate.main([str(tmp_path / "run"), "--data", str(marked)]) == 0
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == metrics
