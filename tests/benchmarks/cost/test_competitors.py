"""Every competitor listens to what edge does: the same frames if it computes the same, else the same number of them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import synthesise

from benchmarks.cost import competitors
from benchmarks.cost.comparison import competitor_table
from edge.audio.resample import Resampler
from edge.benchmark.measurement import from_fields
from edge.features.mfcc import FrontEnd, mfcc
from edge.features.stream import MfccStream
from edge.model.window import WindowModel

pytestmark = pytest.mark.workstation

STREAM = FrontEnd(n_mfcc=40, f_min=30.0, hop_length=1024)
CLIP = synthesise(6.0, STREAM.sample_rate, 1)[:, 0]
BLOCKS = [CLIP[:100], *np.array_split(CLIP[100:], 12)]  # the first one completes no frame


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The window networks, written by a process of their own, like everything that loads TensorFlow."""
    folder = tmp_path_factory.mktemp("networks")
    command = [sys.executable, "-m", "benchmarks.cost.window_networks", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("stream", [competitors.LibrosaEachHop, competitors.KaldiStream, competitors.EssentiaStream])
def test_a_streaming_front_end_gives_as_many_frames_as_ours_for_each_block(stream: type) -> None:
    ours, theirs = MfccStream(STREAM), stream(STREAM)
    for block in BLOCKS:
        expected, found = ours.accept(block), theirs.accept(block)
        assert found.shape == expected.shape
        assert np.isfinite(found).all()
    assert np.abs(theirs.accept(np.ones(20_000, np.float32))).max() > 0


def test_librosa_each_hop_gives_our_frames_if_nothing_is_80_db_below_the_loudest() -> None:
    ours, theirs = MfccStream(STREAM), competitors.LibrosaEachHop(STREAM)
    noise = np.random.default_rng(0).normal(0, 0.1, 6 * STREAM.sample_rate).astype(np.float32)
    for block in np.array_split(noise, 12):
        np.testing.assert_allclose(theirs.accept(block), ours.accept(block), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["librosa + TFLite", "scipy + ONNX Runtime"])
def test_a_competitor_on_windows_computes_our_features_and_answers(name: str, networks: Path) -> None:
    model = competitors.competitor(name).model_of(networks)
    assert isinstance(model, WindowModel)
    window = CLIP[: model.card.window_samples]
    # scipy's spectrum is in single precision
    np.testing.assert_allclose(model.features(window), mfcc(window, model.card.front_end), atol=0.05)
    model.advance(window)
    probabilities = model.probabilities()
    assert probabilities is not None
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_the_worker_measures_a_competitor_and_the_table_compares_it(tmp_path: Path) -> None:
    source = tmp_path / "source.wav"
    soundfile.write(source, Resampler(22_050, 48_000)(CLIP[:, None]), 48_000)
    arguments = [source, "--hop=0.5", "--seconds=6", "--spawned=0", "--competitor=kaldi-native-fbank"]
    command = [sys.executable, "-m", "benchmarks.cost.worker", tmp_path, *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    measured = from_fields(json.loads(done.stdout))
    assert measured.model == "kaldi-native-fbank"
    (theirs,) = competitor_table(measured, [from_fields(json.loads(done.stdout))]).splitlines()[2:]
    assert theirs.count("(1.0x)") == 1  # its front end alone
