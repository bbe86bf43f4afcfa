"""From corpus to device with the real libraries: train.fit, convert.export, edge-listen, edge-label."""

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from helpers.support import Run, one_sentence

from convert.export import FILES
from edge.model.file import read_model_file
from train.recipes import EDGE

pytestmark = [pytest.mark.workstation, pytest.mark.slow]

RATE = 22_050
CLASSES = ("beats", "bells", "drone")
CLIPS = 8


def play(label: str, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """A clip of one class: noise bursts in a rhythm, struck high tones, or a low chord."""
    t = np.arange(round(seconds * RATE)) / RATE
    period = rng.uniform(0.2, 0.5)
    pulse = np.exp(-12 * (t % period))
    pitch = rng.uniform(90, 140)
    sound = {
        "beats": pulse * rng.normal(0, 0.3, len(t)),
        "bells": 0.3 * pulse * np.sin(2 * np.pi * 12 * pitch * t),
        "drone": sum(0.1 * np.sin(2 * np.pi * pitch * k * t) for k in (1, 1.25, 1.5, 2)),
    }[label]
    return sound + rng.normal(0, 0.002, len(t))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CLIPS clips a class in GTZAN's layout with a list, and one more a class, `new`, that no training sees.

    All go through one codec: what Vorbis leaves out of the noise is a class of its own to so small a training.
    """
    root = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(1)
    rows = ["track,genre,split"]
    for label in CLASSES:
        (root / "genres_original" / label).mkdir(parents=True)
        for number in range(CLIPS):
            name = f"{label}.{number:05}"
            soundfile.write(root / "genres_original" / label / f"{name}.ogg", play(label, 9.1, rng), RATE)
            rows.append(f"{name},{label},{'valid' if number % 4 == 0 else 'train'}")
        soundfile.write(root / f"new-{label}.ogg", play(label, 12, rng), RATE)
    (root / "tracks.csv").write_text("\n".join(rows) + "\n")
    return root


def fit_and_export(corpus: Path, folder: Path, recipe: str, split: str, epochs: int) -> Path:
    options = ["--data", corpus, "--recipe", recipe, "--split", split, "--out", folder / "run", "--epochs", epochs]
    for command in (["train.fit", *options], ["convert.export", folder / "run", "--out", folder / "models"]):
        done = subprocess.run(
            [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def edge(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run and models of the edge recipe."""
    return fit_and_export(corpus, tmp_path_factory.mktemp("edge"), "edge", "lists", 80)


@pytest.fixture(scope="module")
def seed(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run and models of the seed recipe."""
    return fit_and_export(corpus, tmp_path_factory.mktemp("seed"), "seed", "segments", 12)


@pytest.fixture(params=["edge", "seed"])
def trained(request: pytest.FixtureRequest) -> Path:
    """Either of them."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


def test_every_format_is_written_with_a_report(trained: Path) -> None:
    report = json.loads((trained / "models" / "report.json").read_text())
    assert report["problems"] == []
    assert {row["file"] for row in report["files"]} == set(FILES.values())
    assert all((trained / "models" / row["file"]).stat().st_size == row["bytes"] for row in report["files"])
    assert all(row["greatest_difference"] <= 1e-5 for row in report["files"] if row["format"] in ("float32", "onnx"))


def test_every_format_classifies_new_clips(run: Run, corpus: Path, trained: Path) -> None:
    clips = [corpus / f"new-{label}.ogg" for label in CLASSES]
    for name in FILES.values():
        done = run("edge.cli.label", *clips, "--model", trained / "models" / name)
        assert done.returncode == 0, done.stderr
        rows = list(csv.DictReader(done.stdout.splitlines()))
        assert [row["label"] for row in rows] == list(CLASSES), name


def test_edge_listen_follows_a_change_of_music(run: Run, corpus: Path, edge: Path, tmp_path: Path) -> None:
    parts = [soundfile.read(corpus / f"new-{label}.ogg")[0] for label in ("drone", "beats", "beats")]
    soundfile.write(tmp_path / "both.wav", np.concatenate(parts), RATE)
    done = run("edge.cli.listen", tmp_path / "both.wav", "--json", "--model", edge / "models" / "model-float32.tflite")
    labels = [json.loads(line)["label"] for line in done.stdout.splitlines()[:-1]]
    assert labels[20] == "drone"
    assert labels[-1] == "beats"


def test_every_file_contains_the_card_of_the_run(trained: Path) -> None:
    in_run = json.loads((trained / "run" / "card.json").read_text())
    for format_, name in FILES.items():
        _, card = read_model_file(trained / "models" / name)
        assert card.format == format_
        in_file = json.loads(card.to_json())
        ours = ("format", "tensors", "network_sha256")
        assert {k: v for k, v in in_file.items() if k not in ours} == {k: v for k, v in in_run.items() if k not in ours}


def test_onnx_has_real_lstm_nodes_and_the_card_in_its_metadata(trained: Path) -> None:
    model = onnx.load(trained / "models" / "model.onnx")
    kinds = [node.op_type for node in model.graph.node]
    assert EDGE.stream is not None
    assert kinds.count("LSTM") == (2 if trained.name.startswith("seed") else EDGE.stream.branches)
    assert "Loop" not in kinds
    assert "card" in {entry.key for entry in model.metadata_props}


def test_tflite_metadata_tools_find_the_labels(trained: Path) -> None:
    with zipfile.ZipFile(trained / "models" / "model-float32.tflite") as archive:
        assert archive.read("labels.txt").decode().split() == list(CLASSES)


def test_a_file_outside_its_bounds_is_not_written(run: Run, edge: Path, tmp_path: Path) -> None:
    """The bound of float32 is set below any possible difference; everything else is the real command."""
    code = (
        "import sys, convert.export as e\n"
        "e.MAX_DIFFERENCE['float32'] = -1.0\n"
        f"sys.argv = ['export', {str(edge / 'run')!r}, '--out', {str(tmp_path)!r}]\n"
        "sys.exit(e.run_command(e.main))"
    )
    (tmp_path / FILES["float32"]).write_bytes(b"of an earlier export")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert "model-float32.tflite is not written" in done.stderr
    assert "Traceback" not in done.stderr
    written = {path.name for path in tmp_path.iterdir()}
    assert written == set(FILES.values()) - {FILES["float32"]} | {"report.json"}


def test_a_folder_that_is_not_a_run_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("convert.export", tmp_path, "--out", tmp_path / "models")
    assert done.returncode == 1
    assert "is not a finished run of train.fit" in one_sentence(done)
