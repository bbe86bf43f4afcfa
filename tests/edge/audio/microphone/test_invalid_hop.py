"""An invalid time between answers is reported before a file, a pipe or a microphone is opened."""

import subprocess
import sys

import pytest

from edge.model.load import SHIPPED_MODEL, load_model

# A microphone and a file that do not exist would be reported with exit status 1.
SOURCES = {"microphone": ("--device", "missing"), "file": ("missing.flac",), "pipe": ("-",)}


def listen(source: str, hop: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of `edge-listen`."""
    done = subprocess.run(
        [sys.executable, "-m", "edge.cli.listen", *SOURCES[source], "--hop", hop],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("hop", ["0", "-1", "61"])
def test_a_hop_out_of_range_is_an_invalid_argument(source: str, hop: str) -> None:
    assert listen(source, hop) == (2, "", f"error: --hop {hop}: must be above 0 and at most 60 s\n")


@pytest.mark.parametrize("source", SOURCES)
def test_a_hop_that_is_no_number_is_an_invalid_argument(source: str) -> None:
    assert listen(source, "nan") == (2, "", "error: --hop must be a number, got nan\n")


@pytest.mark.parametrize("source", SOURCES)
def test_a_hop_shorter_than_a_frame_of_the_model_is_an_invalid_argument(source: str) -> None:
    front_end = load_model(SHIPPED_MODEL).card.front_end
    shortest = front_end.hop_length / front_end.sample_rate
    assert listen(source, "0.001") == (
        2,
        "",
        f"error: --hop 0.001: must be from {shortest:.3f} to 60 s with this model\n",
    )
