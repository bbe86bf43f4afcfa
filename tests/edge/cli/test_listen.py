import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import Run, heed_sigint, one_sentence, synthesise

from edge.answer import STATES
from edge.cli.listen import mqtt_broker, prometheus_port
from edge.model.load import SHIPPED_MODEL, load_model

LISTEN = [sys.executable, "-m", "edge.cli.listen"]


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_file_is_answered_hop_by_hop_and_as_a_whole(run: Run, melody: Path) -> None:
    answers = lines(run("edge.cli.listen", melody, "--json", "--top-k", "2"))
    *hops, whole = answers
    assert [a["t"] for a in hops] == [0.5 * i for i in range(1, 17)]
    assert whole["final"] is True
    assert {a["state"] for a in answers} <= set(STATES)
    assert all((a["label"] is not None) == (a["state"] == "music") for a in answers)
    assert all(len(a["top"]) <= 2 for a in answers)  # type: ignore[arg-type]
    assert whole["top"][0][0] in load_model().card.labels  # type: ignore[index]


def test_the_demo_says_that_it_hears_music(run: Run) -> None:
    *_, whole = lines(run("edge.cli.listen", "--demo", "--json"))
    assert whole["state"] == "music"


def test_plain_lines_where_standard_output_is_no_terminal(run: Run, melody: Path) -> None:
    done = run("edge.cli.listen", melody)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "all of it:" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("hop", [0.05, 0.7, 3.0])
def test_any_hop_hears_all_of_it(run: Run, melody: Path, hop: float) -> None:
    *hops, whole = lines(run("edge.cli.listen", melody, "--json", "--hop", hop))
    assert len(hops) == pytest.approx(8 / hop, abs=1)
    assert whole["t"] == pytest.approx(8.0, abs=0.001)


def test_duration_ends_it(run: Run, melody: Path) -> None:
    assert lines(run("edge.cli.listen", melody, "--json", "--duration", "4.2"))[-1]["t"] == pytest.approx(
        4.2, abs=0.001
    )


def test_raw_pcm_on_standard_input_is_heard_like_the_file(run: Run, melody: Path) -> None:
    pcm = soundfile.read(melody, dtype="int16")[0].astype("<i2").tobytes()
    command = [*LISTEN, "-", "--rate", "48000", "--channels", "2", "--json"]
    done = subprocess.run(command, input=pcm, capture_output=True, timeout=60, check=True)
    piped = [json.loads(line) for line in done.stdout.splitlines()]
    from_file = lines(run("edge.cli.listen", melody, "--json"))
    assert [a["state"] for a in piped] == [a["state"] for a in from_file]
    assert piped[-1]["confidence"] == pytest.approx(from_file[-1]["confidence"], abs=2e-3)


def test_silence_is_said_and_gets_no_label(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(48_000 * 5), 48_000)
    answers = lines(run("edge.cli.listen", tmp_path / "silence.wav", "--json"))
    assert {a["state"] for a in answers[2:]} == {"silence"}


def test_a_short_file_is_answered_with_what_there_is(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", synthesise(1.0, 22_050, 1), 22_050)
    *hops, whole = lines(run("edge.cli.listen", tmp_path / "short.wav", "--json"))
    assert {a["state"] for a in hops} == {"warming"}
    assert whole["top"]


def test_a_file_too_short_for_any_answer_is_told(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "blip.wav", synthesise(1.0, 22_050, 1)[:500], 22_050)
    done = run("edge.cli.listen", tmp_path / "blip.wav")
    assert done.returncode == 1
    assert "too short" in one_sentence(done)


def bad_models(folder: Path) -> Iterator[tuple[str, bytes]]:
    good = SHIPPED_MODEL.read_bytes()
    yield "truncated.tflite", good[: len(good) // 2]
    yield "cardless.tflite", good[: good.rindex(b"PK\x03\x04")]
    yield "foreign.tflite", b"TFL3 but not really" * 100
    yield "foreign.onnx", b"\x08\x07" + bytes(500)
    yield "empty.tflite", b""


def test_every_bad_model_is_refused_in_one_sentence(run: Run, melody: Path, tmp_path: Path) -> None:
    for name, content in bad_models(tmp_path):
        (tmp_path / name).write_bytes(content)
        done = run("edge.cli.listen", melody, "--model", tmp_path / name)
        assert done.returncode == 1
        assert name in one_sentence(done)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["none.wav"], 1, "no such file"),
        (["."], 1, "is a folder"),
        (["pyproject.toml"], 1, "is no audio"),
        (["--demo", "--hop", "0.001"], 2, "--hop 0.001"),
        (["--demo", "--hop", "nan"], 2, "--hop is nan"),
        (["--demo", "--top-k", "0"], 2, "--top-k 0"),
        (["--demo", "--duration", "-1"], 2, "--duration -1"),
        (["--demo", "some.wav"], 2, "one of"),
        (["--demo", "--model", "none.tflite"], 1, "No such file"),
        (["--demo", "--model", "pyproject.toml"], 1, "a model ends in"),
        (["-", "--channels", "0"], 2, "--channels 0"),
    ],
)
def test_bad_words_get_one_sentence(run: Run, words: list[str], status: int, said: str) -> None:
    done = run("edge.cli.listen", *words)
    assert done.returncode == status
    assert said in one_sentence(done)


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("broker", {"host": "broker"}),
        ("broker:1884", {"host": "broker", "port": 1884}),
        ("::1", {"host": "::1"}),
        ("[::1]:1884", {"host": "::1", "port": 1884}),
    ],
)
def test_a_broker_is_named_with_or_without_its_port(text: str, table: dict[str, object]) -> None:
    assert mqtt_broker(text) == table


@pytest.mark.parametrize(
    ("text", "table"), [("9753", {"port": 9753}), ("0.0.0.0:9753", {"port": 9753, "address": "0.0.0.0"})]
)
def test_metrics_are_served_at_a_port_or_an_address_with_one(text: str, table: dict[str, object]) -> None:
    assert prometheus_port(text) == table


def test_what_is_no_port_is_status_2(run: Run) -> None:
    done = run("edge.cli.listen", "--demo", "--prometheus", "abc")
    assert done.returncode == 2
    assert "'abc' is no port" in done.stderr


def test_an_unknown_option_is_status_2(run: Run) -> None:
    assert run("edge.cli.listen", "--loud").returncode == 2


def test_ctrl_c_ends_quietly() -> None:
    pipe = subprocess.PIPE
    command = [*LISTEN, "-", "--json"]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=heed_sigint) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(bytes(96_000))
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=20)
        finally:
            process.kill()
        assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize("seconds", [0.02 * 1.25**i for i in range(20)])
def test_sigterm_ends_it_cleanly_in_every_state(seconds: float, tmp_path: Path) -> None:
    """From the start of Python over that of everything to a second of listening; nobody writes to its pipe."""
    command = [*LISTEN, "-", "--history", str(tmp_path / "history.db"), "--mqtt", "no-such-host.invalid"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        assert process.returncode in (0, -signal.SIGTERM)  # the latter before Python runs anything of ours
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


def test_a_full_disk_behind_standard_output_is_one_sentence(melody: Path) -> None:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        command = [*LISTEN, str(melody)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=buffered)
    assert done.returncode == 1
    assert done.stderr == "error: output: No space left on device\n"


def test_what_was_heard_is_in_the_history(run: Run, melody: Path, tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    *hops, _ = lines(run("edge.cli.listen", melody, "--json", "--history", file))
    assert run("edge.cli.history", "--file", file, "labels", "--json").returncode == 0
    told = [
        json.loads(line) for line in run("edge.cli.history", "--file", file, "labels", "--json").stdout.splitlines()
    ]
    warming = sum(hop["state"] == "warming" for hop in hops)
    assert sum(row["seconds"] for row in told) == 0.5 * (len(hops) - warming)


def test_a_closed_pipe_ends_quietly(melody: Path) -> None:
    command = f"'{sys.executable}' -m edge.cli.listen '{melody}' --json --hop 0.05 | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    assert json.loads(done.stdout)["t"] == 0.05


def test_a_pipe_that_stalls_is_lost_and_found_again() -> None:
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


def test_help_waits_for_no_numpy(run: Run) -> None:
    code = "import sys, edge.cli.listen as m\ntry: m.parser().parse_args(['--help'])\nexcept SystemExit: pass\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "assert 'numpy' not in sys.modules"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--list-devices" in done.stdout


def test_a_device_run_loads_nothing_of_the_workstation(melody: Path) -> None:
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
