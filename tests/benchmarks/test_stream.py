import json
import math
from pathlib import Path

import pytest
import soundfile
from support import Run, one_sentence, synthesise

from benchmarks.stream import Heard


def test_the_time_to_the_right_label_counts_from_the_change() -> None:
    assert Heard("jazz", ("pop", "pop", "jazz", "jazz")).seconds_to_right == 1.5
    assert math.isinf(Heard("jazz", ("pop", None)).seconds_to_right)


@pytest.mark.parametrize(
    ("shown", "flips"),
    [
        (("pop", "jazz", "jazz"), 0),  # the one change that the new clip calls for
        (("pop", "jazz", "pop", "jazz"), 2),
        (("jazz", None, "jazz"), 0),  # a pause is no other label
    ],
)
def test_flips_are_changes_that_nothing_called_for(shown: tuple[str | None, ...], flips: int) -> None:
    assert Heard("jazz", shown).flips == flips


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two classes that the shipped model has no name for, and a list."""
    rows = ["track,genre,split"]
    for label in ("this", "that"):
        (tmp_path / label).mkdir()
        for number, side in enumerate(("train", "valid")):
            soundfile.write(tmp_path / label / f"{label}.{number}.wav", synthesise(6.2, 16_000, 1, number), 16_000)
            rows.append(f"{label}.{number},{label},{side}")
    (tmp_path / "tracks.csv").write_text("\n".join(rows))
    return tmp_path


def test_a_stream_of_clips_is_measured(run: Run, corpus: Path) -> None:
    done = run("benchmarks.stream", "--data", corpus, "--hours", "0.01", "--json", corpus / "out.json")
    assert done.returncode == 0, done.stderr
    assert "never" in done.stdout
    report = json.loads((corpus / "out.json").read_text())
    assert (report["right"], report["clips"]) == (0.0, 6)
    assert report["hours"] == pytest.approx(0.01)


def test_a_corpus_without_lists_is_refused(run: Run, corpus: Path) -> None:
    (corpus / "tracks.csv").unlink()
    done = run("benchmarks.stream", "--data", corpus)
    assert done.returncode == 1
    assert "holds no lists" in one_sentence(done)
