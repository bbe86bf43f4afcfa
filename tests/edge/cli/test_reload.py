"""SIGUSR1, as `systemctl reload` sends it, to a real listener that hears through a pipe."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.support import synthesise, wait_for

from edge.model.file import pack, read
from edge.listener import Listener
from edge.errors import UsageError
from edge.model.load import SHIPPED_MODEL, load_model
from edge.model.streaming import StreamModel

RATE = 48_000
HOP_SECONDS = 0.5
BLOCK = (synthesise(HOP_SECONDS, RATE, 1) * 32767).astype("<i2").tobytes()


class PipeListener:
    """edge-listen on a pipe; `hear` gives it half a second of music and takes its answer."""

    def __init__(self, model: Path, folder: Path) -> None:
        folder.mkdir()
        self.status_file = folder / "status.json"
        self.errors = folder / "errors"
        words = ["-", "--json", "--rate", str(RATE), "--model", str(model)]
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge.cli.listen", *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "RUNTIME_DIRECTORY": str(folder)},
            )

        self._play()  # the resampler keeps the last moment of a block back: one block ahead, no answer is waited for

    def _play(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(BLOCK)
        self.process.stdin.flush()

    def hear(self) -> dict[str, object]:
        assert self.process.stdout
        self._play()
        answer: dict[str, object] = json.loads(self.process.stdout.readline())
        return answer

    def status(self) -> dict[str, object]:
        status: dict[str, object] = json.loads(self.status_file.read_text())
        return status


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the shipped model under a name of its own."""
    return write_model(tmp_path / "model.tflite", "first")


@pytest.fixture
def listener(model: Path, tmp_path: Path) -> Iterator[PipeListener]:
    listener = PipeListener(model, tmp_path / "run")
    for _ in range(8):
        listener.hear()
    yield listener
    listener.process.kill()
    listener.process.communicate()


def write_model(path: Path, name: str) -> Path:
    network, card = read(SHIPPED_MODEL)
    new = path.with_suffix(".new")
    new.write_bytes(pack(network, dataclasses.replace(card, name=name), ".tflite"))
    return new.replace(path)


def test_another_model_is_heard_with_and_not_a_sample_is_lost(listener: PipeListener, model: Path) -> None:
    before = listener.hear()
    assert before["t"] == 4.5
    assert before["top"], "the model has said nothing yet"
    write_model(model, "second")
    listener.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: "second" in listener.errors.read_text() or not listener.hear())
    after = listener.hear()
    assert after["state"] == "warming"  # the new one has heard nothing yet
    assert "lost" not in after
    warm = [listener.hear() for _ in range(8)][-1]
    assert warm["label"] == before["label"]
    assert warm["top"]
    wait_for(lambda: listener.hear() and listener.status()["model"] == "second")


def test_a_model_that_is_none_changes_nothing_and_is_named(listener: PipeListener, model: Path) -> None:
    model.with_suffix(".new").write_bytes(model.read_bytes()[:1000])
    model.with_suffix(".new").replace(model)
    listener.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: listener.errors.read_text() or not listener.hear())
    said = listener.errors.read_text()
    assert said.startswith("warning: goes on with the model that it has: ")
    assert str(model) in said
    assert listener.hear()["top"], "it warms up again"
    assert listener.status()["model"] == "first"


def test_the_status_says_which_model_hears_what(listener: PipeListener, model: Path) -> None:
    digest = subprocess.run(["sha256sum", model], capture_output=True, text=True, check=True).stdout.split()[0]
    status = listener.status()
    assert status["model_sha256"] == digest
    assert {"version", "t", "state", "label", "overruns", "reconnects", "device"} <= set(status)


def test_no_status_is_left_where_nobody_listens(listener: PipeListener) -> None:
    listener.process.send_signal(signal.SIGTERM)
    assert listener.process.wait(30) == 0
    assert not listener.status_file.exists()


def test_a_full_or_missing_folder_of_the_status_stops_nothing(listener: PipeListener) -> None:
    shutil.rmtree(listener.status_file.parent)
    for _ in range(4):
        assert listener.hear()["top"]


def shipped(**changes: object) -> StreamModel:
    """The shipped network behind another front end."""
    model = load_model()
    return StreamModel(
        dataclasses.replace(model.card, front_end=dataclasses.replace(model.card.front_end, **changes)),  # type: ignore[arg-type]
        model.network,
    )


def test_a_model_at_another_rate_hears_on_and_the_cut_hop_is_lost() -> None:
    listener = Listener(load_model(), 22_050, HOP_SECONDS)
    music = synthesise(3.0, 22_050, 1)
    assert [answer.t for answer in listener.hear(music[: 22_050 * 5 // 4])] == [0.5, 1.0]
    listener.change(shipped(sample_rate=24_000))
    answers = list(listener.hear(music))
    assert answers[0].t == pytest.approx(1.75, abs=1e-3)
    assert answers[-1].lost == pytest.approx(0.25, abs=1e-3)


def test_a_model_that_the_hop_is_too_short_for_is_refused_and_the_old_one_goes_on() -> None:
    listener = Listener(load_model(), 22_050, 0.05)
    with pytest.raises(UsageError, match="this model answers every"):
        listener.change(shipped(hop_length=2048))
    assert len(list(listener.hear(np.zeros((22_050, 1), np.float32)))) == 20
