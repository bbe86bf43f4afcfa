"""Standard output of edge-listen: JSON lines, and the lines for persons."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from golden.commands import DEMO_RATE, PipedListener, melody, output
from golden.recording import check, json_lines


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Eight seconds at 48 kHz, stereo: not the rate of the model."""
    path = tmp_path / "song.wav"
    soundfile.write(path, melody(8.0, 48_000, 2), 48_000)
    return path


def test_json_lines_of_the_demo() -> None:
    check("demo.jsonl", output("edge-listen", "--demo", "--json"), json_lines)


def test_plain_lines_of_the_demo() -> None:
    check("demo.txt", output("edge-listen", "--demo"))


def test_json_lines_of_the_unsmoothed_model() -> None:
    check("demo_raw.jsonl", output("edge-listen", "--demo", "--raw", "--json", "--top-k", 2), json_lines)


def test_json_lines_at_another_hop_for_a_limited_time() -> None:
    text = output("edge-listen", "--demo", "--json", "--hop", 0.7, "--duration", 5.0)
    check("demo_hop.jsonl", text, json_lines)


def test_json_lines_of_a_file_at_another_rate(song: Path) -> None:
    check("melody.jsonl", output("edge-listen", song, "--json"), json_lines)


@pytest.mark.parametrize("bits", [16, 32])
def test_raw_pcm_on_standard_input_is_answered_like_the_file(bits: int) -> None:
    raw = melody(8.0, 48_000, 2) if bits == 16 else melody(8.0, 48_000, 2).astype("<i4") << 16
    layout = ["--rate", 48_000, "--channels", 2, "--bits", bits]
    check("melody.jsonl", output("edge-listen", "-", "--json", *layout, input=raw.tobytes()), json_lines)


def test_json_lines_of_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(8 * DEMO_RATE), DEMO_RATE)
    check("silence.jsonl", output("edge-listen", tmp_path / "silence.wav", "--json"), json_lines)


def test_json_lines_of_a_pipe_that_pauses() -> None:
    sound = melody(5.0, DEMO_RATE, 1).tobytes()
    second = len(sound) // 5
    with PipedListener() as listener:
        listener.write(sound[:second])
        listener.until(lambda answer: answer["state"] == "lost")
        listener.write(sound[second:])
        assert listener.finish() == 0
    check("pause.jsonl", "".join(listener.lines), json_lines)
