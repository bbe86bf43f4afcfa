from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import shared

from edge.features.mfcc import FrontEnd, mfcc
from train.corpus import features
from train.corpus.audio import BadClipError, decode, load_audio
from train.corpus.features import compute_features, extract_features, librosa_mfcc, log_mel, mfcc_from_log_mel, mfccs
from train.recipes import EDGE, SEED, Recipe

pytestmark = pytest.mark.workstation


def some_audio() -> np.ndarray:
    """A real clip where there is one, else decaying tones in noise."""
    if (gtzan := shared("gtzan", "genres_original")) is not None:
        return load_audio(min(gtzan.rglob("*.ogg")), 22_050)
    rng = np.random.default_rng(0)
    t = np.arange(22_050 * 6) / 22_050
    tones = sum(np.sin(2 * np.pi * f * t) * np.exp(-3 * (t % (0.3 + f / 5000))) for f in (110, 440, 987, 3520))
    return (0.2 * tones + 0.003 * rng.normal(size=len(t))).astype(np.float32)


@pytest.mark.parametrize("front_end", [SEED.front_end, EDGE.front_end], ids=["seed", "edge"])
def test_mfccs_of_librosa_and_of_the_device_agree(front_end: FrontEnd) -> None:
    samples = some_audio()
    assert np.abs(librosa_mfcc(samples, front_end) - mfcc(samples, front_end)).max() < 1e-3


def test_a_window_recipe_computes_each_whole_segment_on_its_own(corpus: Path) -> None:
    content = (corpus / "hum" / "hum.00000.wav").read_bytes()
    samples = decode(content, 22_050)
    parts = compute_features(content, SEED)
    assert parts.shape == (2, 130, 13)  # 6.5 s
    np.testing.assert_array_equal(parts[1], librosa_mfcc(samples[66_150:132_300], SEED.front_end))


def test_a_stream_recipe_keeps_the_whole_clips_mel_power_in_half_precision(corpus: Path) -> None:
    content = (corpus / "hum" / "hum.00000.wav").read_bytes()
    cached = compute_features(content, EDGE)
    assert cached.shape == (1, EDGE.front_end.frame_count(round(6.5 * 22_050)), EDGE.front_end.n_mels)
    assert cached.dtype == np.float16
    assert np.abs(cached[0] - log_mel(decode(content, 22_050), EDGE.front_end)).max() < 0.032


@pytest.mark.parametrize("recipe", [SEED, EDGE], ids=["seed", "edge"])
def test_mfccs_of_cached_features_agree_with_the_device(corpus: Path, recipe: Recipe) -> None:
    content = (corpus / "hum" / "hum.00000.wav").read_bytes()
    found = mfccs(compute_features(content, recipe)[0], recipe)
    assert found.dtype == np.float32
    samples = decode(content, 22_050)
    expected = mfcc(samples if recipe.stream else samples[: recipe.segment_samples], recipe.front_end)
    np.testing.assert_allclose(found, expected, atol=0.2 if recipe.stream else 1e-3)


def test_mfccs_of_a_batch_equal_those_of_each_crop() -> None:
    crops = np.random.default_rng(0).normal(-20, 10, (2, 3, EDGE.front_end.n_mels)).astype(np.float32)
    each = np.stack([mfcc_from_log_mel(crop, EDGE.front_end) for crop in crops])
    np.testing.assert_allclose(mfcc_from_log_mel(crops, EDGE.front_end), each, atol=1e-4)


def test_audio_of_any_rate_and_channel_count_is_decoded(tmp_path: Path) -> None:
    t = np.arange(48_000 * 4) / 48_000
    left, right = np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 880 * t)
    soundfile.write(tmp_path / "stereo.flac", np.stack([left, right], axis=1), 48_000)
    samples = load_audio(tmp_path / "stereo.flac", 22_050)
    t = np.arange(len(samples)) / 22_050
    expected = (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 880 * t)) / 2
    assert abs(len(samples) - 4 * 22_050) <= 1
    assert np.abs(samples - expected)[1000:-1000].max() < 0.01


def test_unusable_files_give_reasons(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("this is no audio")
    (tmp_path / "empty.wav").touch()
    soundfile.write(tmp_path / "short.wav", np.zeros(22_050), 22_050)
    soundfile.write(tmp_path / "nan.wav", np.full(88_200, np.nan), 22_050, subtype="FLOAT")
    names = ["text.wav", "empty.wav", "short.wav", "nan.wav", "missing.wav"]
    reasons = extract_features([tmp_path / name for name in names], EDGE, tmp_path / "cache")
    for reason, expected in zip(
        reasons, ["unreadable", "unreadable", "too short (1.0 s", "not finite", "No such"], strict=True
    ):
        assert isinstance(reason, str)
        assert expected in reason


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """The recipes that features were really computed for, in this process."""
    calls: list[Recipe] = []

    def compute_and_count(content: bytes, recipe: Recipe, kind: str | None) -> np.ndarray:
        calls.append(recipe)
        return compute_features(content, recipe, kind)

    monkeypatch.setattr(features, "compute_features", compute_and_count)
    return calls


def test_cached_features_are_not_computed_again(corpus: Path, tmp_path: Path, counted: list[Recipe]) -> None:
    path = corpus / "hum" / "hum.00000.wav"
    first = features._features_or_reason(path, EDGE, tmp_path)
    second = features._features_or_reason(path, EDGE, tmp_path)
    np.testing.assert_array_equal(first, second)
    features._features_or_reason(path, SEED, tmp_path)  # another front end is another entry
    assert counted == [EDGE, SEED]


def test_each_variant_has_its_own_cache_entry(corpus: Path, tmp_path: Path, counted: list[Recipe]) -> None:
    kinds = (None, "slower", "faster", "vocoded")
    path = corpus / "hum" / "hum.00000.wav"
    plain, slower, faster, _ = (features._features_or_reason(path, EDGE, tmp_path, kind) for kind in kinds)
    assert len(list(tmp_path.iterdir())) == len(counted) == 4
    assert faster.shape[1] < plain.shape[1] < slower.shape[1]
    np.testing.assert_array_equal(features._features_or_reason(path, EDGE, tmp_path, "slower"), slower)
    assert len(counted) == 4


def test_the_cache_entry_of_a_stream_recipe_does_not_depend_on_n_mfcc(
    corpus: Path, tmp_path: Path, counted: list[Recipe]
) -> None:
    for recipe in (EDGE, replace(EDGE, front_end=replace(EDGE.front_end, n_mfcc=20))):
        features._features_or_reason(corpus / "hum" / "hum.00000.wav", recipe, tmp_path)
    assert counted == [EDGE]


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"nonsense"])
def test_a_damaged_entry_is_computed_again(corpus: Path, tmp_path: Path, counted: list[Recipe], damage: bytes) -> None:
    path = corpus / "hum" / "hum.00000.wav"
    first = features._features_or_reason(path, EDGE, tmp_path)
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(damage or entry.read_bytes()[:-100])
    np.testing.assert_array_equal(features._features_or_reason(path, EDGE, tmp_path), first)
    assert len(counted) == 2


def test_features_are_computed_without_a_writable_cache(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = features._features_or_reason(corpus / "hum" / "hum.00000.wav", EDGE, tmp_path / "file" / "cache")
    assert not isinstance(found, str)


def test_an_empty_file_is_unreadable() -> None:
    with pytest.raises(BadClipError, match="unreadable"):
        decode(b"", 22_050)
