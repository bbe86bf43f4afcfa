"""MusiCNN on real audio, with its real weights (pip install --no-deps musicnn==0.1.0)."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import synthesise

from edge.errors import EdgeError
from train.corpus import cache
from train.corpus.audio import BadClipError
from train.distillation import musicnn
from train.distillation.musicnn import EMBEDDING, FRAMES, HOP, N_MELS, RATE, TAGS, WINDOW_SECONDS, musicnn_outputs

pytestmark = pytest.mark.workstation

# Outputs of the original musicnn 0.1.0 for `melody.wav`: for each window the likeliest tag, "electronic", the second,
# "electro", and the mean of the penultimate layer.
ELECTRONIC, ELECTRO = 4, 41
EXPECTED = [[0.6373, 0.2721, 1.2897], [0.6896, 0.2848, 1.4891], [0.6475, 0.2874, 1.3537], [0.6650, 0.2574, 1.4149]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of a melody, and files that cannot be used."""
    folder = tmp_path_factory.mktemp("music")
    soundfile.write(folder / "melody.wav", synthesise(12.0, 44_100, 2, seed=5), 44_100, subtype="FLOAT")
    (folder / "text.wav").write_text("this is no audio")
    soundfile.write(folder / "short.wav", np.zeros(2 * RATE), RATE)
    return folder


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cache of the outputs."""
    return tmp_path_factory.mktemp("signals")


@pytest.fixture(scope="module")
def outputs(folder: Path, cache_folder: Path) -> list[np.ndarray | str]:
    """Outputs for these files, and for one that does not exist."""
    return musicnn_outputs(
        [folder / name for name in ("melody.wav", "text.wav", "short.wav", "missing.wav")], cache_folder
    )


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(musicnn, "_graph", lambda _: pytest.fail("the network was asked"))


def test_a_clip_has_an_output_for_each_whole_window(outputs: list[np.ndarray | str]) -> None:
    melody = outputs[0]
    assert not isinstance(melody, str)
    assert melody.shape == (12 // WINDOW_SECONDS, TAGS + EMBEDDING) == (4, 250)
    assert melody.dtype == np.float32
    assert ((melody[:, :TAGS] > 0) & (melody[:, :TAGS] < 1)).all()
    assert melody[:, TAGS:].min() == 0  # a rectified layer
    assert melody[:, TAGS:].max() > 1


def test_outputs_agree_with_the_original_musicnn(outputs: list[np.ndarray | str]) -> None:
    melody = outputs[0]
    assert not isinstance(melody, str)
    found = np.stack([melody[:, ELECTRONIC], melody[:, ELECTRO], melody[:, TAGS:].mean(axis=1)], axis=1)
    np.testing.assert_allclose(found, EXPECTED, atol=0.01)
    assert melody[:, :TAGS].argmax(axis=1).tolist() == [ELECTRONIC] * 4


def test_unusable_files_give_reasons(outputs: list[np.ndarray | str]) -> None:
    expected = ["unreadable", "too short (2.0 s, the teacher needs 3.0 s)", "unreadable (No such"]
    for reason, text in zip(outputs[1:], expected, strict=True):
        assert isinstance(reason, str)
        assert text in reason


@pytest.mark.usefixtures("no_network")
def test_cached_outputs_are_not_computed_again(
    folder: Path, cache_folder: Path, outputs: list[np.ndarray | str], tmp_path: Path
) -> None:
    moved = tmp_path / "another name.wav"
    moved.write_bytes((folder / "melody.wav").read_bytes())
    np.testing.assert_array_equal(musicnn._outputs_or_reason(moved, cache_folder, "nowhere/"), outputs[0])


@pytest.mark.parametrize("damage", ["half", "of another width"])
def test_a_damaged_entry_is_computed_again(
    damage: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[tuple[int, ...]] = []

    def graph(_: str) -> object:
        return lambda windows: computed.append(windows.shape) or np.ones((len(windows), TAGS + EMBEDDING), np.float32)

    monkeypatch.setattr(musicnn, "_graph", graph)
    musicnn._outputs_or_reason(folder / "melody.wav", tmp_path, "nowhere/")
    (entry,) = tmp_path.iterdir()
    if damage == "half":
        entry.write_bytes(entry.read_bytes()[:-100])
    else:
        cache.write(entry, np.ones((4, TAGS), np.float32))
    found = musicnn._outputs_or_reason(folder / "melody.wav", tmp_path, "nowhere/")
    assert not isinstance(found, str)
    assert found.shape == (4, TAGS + EMBEDDING)
    assert computed == [(4, FRAMES, N_MELS)] * 2


def test_three_seconds_are_one_window_and_less_is_refused() -> None:
    assert musicnn._log_mel_windows(np.zeros(3 * RATE, np.float32)).shape == (1, FRAMES, N_MELS)
    with pytest.raises(BadClipError, match="too short"):
        musicnn._log_mel_windows(np.zeros((FRAMES - 2) * HOP, np.float32))


def test_a_teacher_that_is_not_installed_is_refused_with_the_pip_command(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EdgeError, match=r"not installed: pip install --no-deps musicnn==0\.1\.0$"):
        musicnn_outputs([folder / "melody.wav"], tmp_path)
