"""The teacher on real audio: it is installed by `pip install --no-deps musicnn==0.1.0`, its weights are real."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import synthesise

from edge.errors import EdgeError
from train.corpus import cache
from train.corpus.audio import BadClipError
from train.distillation import musicnn
from train.distillation.musicnn import EMBEDDING, FRAMES, HOP, N_MELS, RATE, TAGS, WINDOW_SECONDS, musicnn_outputs

pytestmark = pytest.mark.workstation

# What shared/tools/musicnn_teacher.py says of `melody`: of each window the likeliest tag, "electronic", the next,
# "electro", and the mean of the penultimate layer.
ELECTRONIC, ELECTRO = 4, 41
SAID = [[0.6373, 0.2721, 1.2897], [0.6896, 0.2848, 1.4891], [0.6475, 0.2874, 1.3537], [0.6650, 0.2574, 1.4149]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of a melody, and files that can't be heard."""
    folder = tmp_path_factory.mktemp("music")
    soundfile.write(folder / "melody.wav", synthesise(12.0, 44_100, 2, seed=5), 44_100, subtype="FLOAT")
    (folder / "text.wav").write_text("this is no audio")
    soundfile.write(folder / "short.wav", np.zeros(2 * RATE), RATE)
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the signals are kept."""
    return tmp_path_factory.mktemp("signals")


@pytest.fixture(scope="module")
def said(folder: Path, kept: Path) -> list[np.ndarray | str]:
    """What is said of these files, and of one that is not there."""
    return musicnn_outputs([folder / name for name in ("melody.wav", "text.wav", "short.wav", "missing.wav")], kept)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(musicnn, "_graph", lambda _: pytest.fail("the network was asked"))


def test_a_clip_has_an_output_for_each_whole_window(said: list[np.ndarray | str]) -> None:
    melody = said[0]
    assert not isinstance(melody, str)
    assert melody.shape == (12 // WINDOW_SECONDS, TAGS + EMBEDDING) == (4, 250)
    assert melody.dtype == np.float32
    assert ((melody[:, :TAGS] > 0) & (melody[:, :TAGS] < 1)).all()
    assert melody[:, TAGS:].min() == 0  # a rectified layer
    assert melody[:, TAGS:].max() > 1


def test_outputs_agree_with_the_original_musicnn(said: list[np.ndarray | str]) -> None:
    melody = said[0]
    assert not isinstance(melody, str)
    found = np.stack([melody[:, ELECTRONIC], melody[:, ELECTRO], melody[:, TAGS:].mean(axis=1)], axis=1)
    np.testing.assert_allclose(found, SAID, atol=0.01)
    assert melody[:, :TAGS].argmax(axis=1).tolist() == [ELECTRONIC] * 4


def test_unusable_files_give_reasons(said: list[np.ndarray | str]) -> None:
    expected = ["unreadable", "too short (2.0 s, the teacher hears 3.0 s)", "unreadable (No such"]
    for reason, words in zip(said[1:], expected, strict=True):
        assert isinstance(reason, str)
        assert words in reason


@pytest.mark.usefixtures("no_network")
def test_cached_outputs_are_not_computed_again(
    folder: Path, kept: Path, said: list[np.ndarray | str], tmp_path: Path
) -> None:
    moved = tmp_path / "another name.wav"
    moved.write_bytes((folder / "melody.wav").read_bytes())
    np.testing.assert_array_equal(musicnn._outputs_or_reason(moved, kept, "nowhere/"), said[0])


@pytest.mark.parametrize("damage", ["half", "of another width"])
def test_a_damaged_entry_is_computed_again(
    damage: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[int, ...]] = []

    def graph(_: str) -> object:
        return lambda windows: heard.append(windows.shape) or np.ones((len(windows), TAGS + EMBEDDING), np.float32)

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
    assert heard == [(4, FRAMES, N_MELS)] * 2


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
