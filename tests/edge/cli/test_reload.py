"""SIGUSR1, as `systemctl reload` sends it: the model file is read again while audio waits."""

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

from edge.cli import reload
from edge.cli.reload import HotSwap
from edge.errors import UsageError
from edge.listener import Listener
from edge.model.file import pack, read_model_file
from edge.model.load import SHIPPED_MODEL, load_model
from edge.model.model import Model
from edge.model.streaming import StreamModel
from edge.stats import Stats

RATE = 48_000
HOP_SECONDS = 0.5
BLOCK = (synthesise(HOP_SECONDS, RATE, 1) * 32767).astype("<i2").tobytes()
SIGUSR1_BIT = 1 << signal.SIGUSR1 - 1


class PipeListener:
    """edge-listen on a pipe; `hear` gives it half a second of music and returns its answer."""

    def __init__(self, model: Path, folder: Path) -> None:
        folder.mkdir()
        self.status_file = folder / "status.json"
        self.errors = folder / "errors"
        arguments = ["-", "--json", "--rate", str(RATE), "--model", str(model)]
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge.cli.listen", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "RUNTIME_DIRECTORY": str(folder)},
            )
        self._play()  # the resampler holds the end of a block back: one block ahead, no answer is waited for

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

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the shipped model with another name in its card."""
    return write_model(tmp_path / "model.tflite", "first")


@pytest.fixture
def listener(model: Path, tmp_path: Path) -> Iterator[PipeListener]:
    """A listener that has warmed up."""
    listener = PipeListener(model, tmp_path / "run")
    for _ in range(8):
        listener.hear()
    yield listener
    listener.close()


@pytest.fixture
def restored_signal() -> Iterator[None]:
    """SIGUSR1 is ignored, as by the command, and restored after the test."""
    handler = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGUSR1, handler)


def write_model(path: Path, name: str) -> Path:
    network, card = read_model_file(SHIPPED_MODEL)
    new = path.with_suffix(".new")
    new.write_bytes(pack(network, dataclasses.replace(card, name=name), ".tflite"))
    return new.replace(path)


def test_another_model_takes_over_and_no_sample_is_lost(listener: PipeListener, model: Path) -> None:
    before = listener.hear()
    assert before["t"] == 4.5
    assert before["top"], "the model has not answered yet"
    write_model(model, "second")
    listener.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: "second" in listener.errors.read_text() or not listener.hear())
    after = listener.hear()
    assert after["state"] == "warming"  # the new model has heard nothing yet
    assert "lost" not in after
    warm = [listener.hear() for _ in range(8)][-1]
    assert warm["label"] == before["label"]
    assert warm["top"]
    wait_for(lambda: listener.hear() and listener.status()["model"] == "second")


def test_a_bad_model_is_named_and_changes_nothing(listener: PipeListener, model: Path) -> None:
    model.with_suffix(".new").write_bytes(model.read_bytes()[:1000])
    model.with_suffix(".new").replace(model)
    listener.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: listener.errors.read_text() or not listener.hear())
    log = listener.errors.read_text()
    assert log.startswith("warning: the present model stays in use: ")
    assert str(model) in log
    assert listener.hear()["top"], "it warms up again"
    assert listener.status()["model"] == "first"


def test_a_request_before_the_model_is_read_does_not_kill() -> None:
    script = (
        "import os, signal, edge.cli.listen as listen\n"
        "listen.run = lambda main: os.kill(os.getpid(), signal.SIGUSR1) or 0\n"
        "listen.main()"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0


def test_a_request_right_after_the_start_neither_kills_nor_is_lost(model: Path, tmp_path: Path) -> None:
    """From the first instruction of the command on; before, Python itself starts, which ends with any signal."""
    listener = PipeListener(model, tmp_path / "run")
    status = Path(f"/proc/{listener.process.pid}/status")

    def handles_sigusr1(*sets: str) -> bool:
        lines = dict(line.split(":\t") for line in status.read_text().splitlines())
        return any(int(lines[name], 16) & SIGUSR1_BIT for name in sets)

    wait_for(lambda: handles_sigusr1("SigIgn", "SigCgt"))
    listener.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: handles_sigusr1("SigCgt"))  # the model is being read
    listener.process.send_signal(signal.SIGUSR1)
    assert listener.hear()["t"] == HOP_SECONDS
    assert listener.process.poll() is None
    assert "now using the model first" in listener.errors.read_text()
    listener.close()


def test_a_request_while_the_model_is_read_is_answered_after_that(
    model: Path, monkeypatch: pytest.MonkeyPatch, restored_signal: None
) -> None:
    def load_and_replace(path: Path, threads: int) -> Model:
        loaded = load_model(path, threads)
        if loaded.card.name == "first":
            write_model(model, "second")
            os.kill(os.getpid(), signal.SIGUSR1)
        return loaded

    monkeypatch.setattr(reload, "load_model", load_and_replace)
    swap, stats = HotSwap(model, threads=1), Stats()
    assert swap.model.card.name == "first"
    listener = Listener(swap.model, RATE)
    swap.apply(listener, stats)
    assert stats.model == swap.model.card.name == "second"


def test_without_a_request_the_file_is_not_read_again(model: Path, restored_signal: None) -> None:
    swap, stats = HotSwap(model, threads=1), Stats()
    write_model(model, "second")
    swap.apply(Listener(swap.model, RATE), stats)
    assert swap.model.card.name == "first"


def test_the_status_file_names_the_model_and_its_sha256(listener: PipeListener, model: Path) -> None:
    digest = subprocess.run(["sha256sum", model], capture_output=True, text=True, check=True).stdout.split()[0]
    status = listener.status()
    assert status["model_sha256"] == digest
    assert {"version", "t", "state", "label", "overruns", "reconnects", "device"} <= set(status)


def test_the_status_file_is_removed_at_the_end(listener: PipeListener) -> None:
    listener.process.send_signal(signal.SIGTERM)
    assert listener.process.wait(30) == 0
    assert not listener.status_file.exists()


def test_a_missing_folder_of_the_status_file_stops_nothing(listener: PipeListener) -> None:
    shutil.rmtree(listener.status_file.parent)
    for _ in range(4):
        assert listener.hear()["top"]


def shipped_with(**changes: object) -> StreamModel:
    """The shipped network with another front end."""
    model = load_model()
    front_end = dataclasses.replace(model.card.front_end, **changes)  # type: ignore[arg-type]
    return StreamModel(dataclasses.replace(model.card, front_end=front_end), model.network)


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_a_model_at_another_rate_takes_over_and_the_cut_hop_is_lost(rate: int) -> None:
    listener = Listener(load_model(), rate, HOP_SECONDS)
    music = synthesise(3.0, rate, 1)
    assert [answer.time for answer in listener.process(music[: rate * 5 // 4])] == [0.5, 1.0]
    listener.swap_model(shipped_with(sample_rate=24_000))
    answers = listener.process(music)
    assert answers[0].time == pytest.approx(1.75, abs=1e-3)
    assert answers[-1].lost == pytest.approx(0.25, abs=1e-3)


def test_a_model_for_which_the_hop_is_too_short_is_refused_and_the_old_one_stays() -> None:
    listener = Listener(load_model(), 22_050, 0.05)
    with pytest.raises(UsageError, match=r"hop 0\.05: must be from 0\.093 to 60 s with this model"):
        listener.swap_model(shipped_with(hop_length=2048))
    assert len(listener.process(np.zeros((22_050, 1), np.float32))) == 20
