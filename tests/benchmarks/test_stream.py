import json
from pathlib import Path

import pytest
import soundfile
from helpers.support import Run, one_sentence, synthesise

pytestmark = pytest.mark.workstation


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two classes that the shipped model doesn't know, and a list."""
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
    assert "no lists" in one_sentence(done)


def test_hours_out_of_range_are_an_invalid_argument(run: Run, corpus: Path) -> None:
    done = run("benchmarks.stream", "--data", corpus, "--hours", "0")
    assert done.returncode == 2
    assert one_sentence(done).startswith("error: --hours 0: ")
