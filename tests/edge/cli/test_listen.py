import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import Run, one_sentence, synthesise

from edge.answer import STATES
from edge.model.load import load_model

LISTEN = [sys.executable, "-m", "edge.cli.listen"]


def json_lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_file_gets_an_answer_per_hop_and_a_summary(run: Run, melody: Path) -> None:
    answers = json_lines(run("edge.cli.listen", melody, "--json", "--top-k", "2"))
    *hops, summary = answers
    assert [a["t"] for a in hops] == [0.5 * i for i in range(1, 17)]
    assert summary["final"] is True
    assert {a["state"] for a in answers} <= set(STATES)
    assert all((a["label"] is not None) == (a["state"] == "music") for a in answers)
    assert all(len(a["top"]) <= 2 for a in answers)  # type: ignore[arg-type]
    assert summary["top"][0][0] in load_model().card.labels  # type: ignore[index]


def test_the_demo_is_music(run: Run) -> None:
    *_, summary = json_lines(run("edge.cli.listen", "--demo", "--json"))
    assert summary["state"] == "music"


def test_output_that_is_not_a_terminal_gets_plain_lines(run: Run, melody: Path) -> None:
    done = run("edge.cli.listen", melody)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "all of it:" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("hop", [0.05, 0.7, 3.0])
def test_any_hop_covers_the_whole_file(run: Run, melody: Path, hop: float) -> None:
    *hops, summary = json_lines(run("edge.cli.listen", melody, "--json", "--hop", hop))
    assert len(hops) == pytest.approx(8 / hop, abs=1)
    assert summary["t"] == pytest.approx(8.0, abs=0.001)


def test_duration_limits_the_time(run: Run, melody: Path) -> None:
    assert json_lines(run("edge.cli.listen", melody, "--json", "--duration", "4.2"))[-1]["t"] == pytest.approx(
        4.2, abs=0.001
    )


def test_raw_pcm_on_standard_input_gets_the_answers_of_the_file(run: Run, melody: Path) -> None:
    pcm = soundfile.read(melody, dtype="int16")[0].astype("<i2").tobytes()
    command = [*LISTEN, "-", "--rate", "48000", "--channels", "2", "--json"]
    done = subprocess.run(command, input=pcm, capture_output=True, timeout=60, check=True)
    piped = [json.loads(line) for line in done.stdout.splitlines()]
    from_file = json_lines(run("edge.cli.listen", melody, "--json"))
    assert [a["state"] for a in piped] == [a["state"] for a in from_file]
    assert piped[-1]["confidence"] == pytest.approx(from_file[-1]["confidence"], abs=2e-3)


def test_silence_has_no_label(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(48_000 * 5), 48_000)
    answers = json_lines(run("edge.cli.listen", tmp_path / "silence.wav", "--json"))
    assert {a["state"] for a in answers[2:]} == {"silence"}


def test_the_summary_of_a_short_file_is_an_early_answer(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", synthesise(1.0, 22_050, 1), 22_050)
    *hops, summary = json_lines(run("edge.cli.listen", tmp_path / "short.wav", "--json"))
    assert {a["state"] for a in hops} == {"warming"}
    assert summary["top"]


def test_a_file_too_short_for_an_answer_is_status_1(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "blip.wav", synthesise(1.0, 22_050, 1)[:500], 22_050)
    done = run("edge.cli.listen", tmp_path / "blip.wav")
    assert done.returncode == 1
    assert "too short" in one_sentence(done)


def test_the_history_holds_what_was_heard(run: Run, melody: Path, tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    *hops, _ = json_lines(run("edge.cli.listen", melody, "--json", "--history", file))
    rows = [
        json.loads(line) for line in run("edge.cli.history", "--file", file, "labels", "--json").stdout.splitlines()
    ]
    warming = sum(hop["state"] == "warming" for hop in hops)
    assert sum(row["seconds"] for row in rows) == 0.5 * (len(hops) - warming)


@pytest.mark.slow
def test_a_pipe_that_stalls_is_lost_until_data_arrives_again() -> None:
    loud = (synthesise(1.0, 48_000, 1) * 32767).astype("<i2").tobytes()
    with subprocess.Popen([*LISTEN, "-", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(loud)
        process.stdin.flush()
        began = time.monotonic()
        states = []
        while "lost" not in states:
            states.append(json.loads(process.stdout.readline())["state"])
        assert time.monotonic() - began < 10
        process.stdin.write(loud)
        process.stdin.close()
        assert "warming" in {json.loads(line)["state"] for line in process.stdout}


def test_listening_loads_nothing_of_the_workstation(melody: Path) -> None:
    heavy = "{'tensorflow', 'keras', 'librosa', 'scipy', 'sklearn', 'matplotlib', 'train', 'convert', 'onnx'}"
    code = (
        "import sys, edge.cli.listen as m; sys.argv = ['edge-listen', sys.argv[1]]\n"
        "try: m.main()\nexcept SystemExit: pass\n"
        f"assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(melody)], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
