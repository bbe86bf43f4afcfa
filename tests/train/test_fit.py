"""The command train.fit: what it refuses."""

import errno
from pathlib import Path

import pytest
from helpers.training import fit_arguments

from edge.errors import EdgeError, UsageError
from train import fit
from train.network import loop

pytestmark = [pytest.mark.workstation, pytest.mark.slow, pytest.mark.usefixtures("small_edge")]


def test_a_finished_run_is_not_overwritten(corpus: Path, edge_run: Path) -> None:
    with pytest.raises(EdgeError, match="is a finished run; choose another --out"):
        fit.main(fit_arguments(corpus, edge_run, "edge", "tracks", 3))


def test_a_folder_with_other_files_is_refused(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(EdgeError, match="contains other files and no run"):
        fit.main(fit_arguments(corpus, tmp_path, "edge", "tracks", 3))


def test_the_notebooks_recipe_refuses_folds(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folds"):
        fit.main(fit_arguments(corpus, tmp_path / "run", "seed", "folds", 1))


def test_the_notebooks_recipe_has_no_teacher(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--unlabelled: the recipe seed has no teacher"):
        fit.main([*fit_arguments(corpus, tmp_path / "run", "seed", "segments", 1), "--unlabelled", str(tmp_path)])
    assert not (tmp_path / "run").exists()


def test_a_teacher_cannot_be_combined_with_segments(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="segments"):
        fit.main([*fit_arguments(corpus, tmp_path / "run", "edge", "segments", 1), "--unlabelled", str(tmp_path)])


def test_a_missing_folder_of_music_is_refused_even_beside_one_that_exists(corpus: Path, tmp_path: Path) -> None:
    folders = ["--unlabelled", str(corpus), "--unlabelled", str(tmp_path / "nowhere")]
    with pytest.raises(UsageError, match="nowhere is not a folder; --unlabelled expects a folder of music"):
        fit.main([*fit_arguments(corpus, tmp_path / "run", "edge", "tracks", 1), *folders])


def test_a_full_disk_ends_with_one_sentence(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(loop, "write_history", full)
    with pytest.raises(EdgeError, match="no space left for the run folder"):
        fit.main(fit_arguments(corpus, tmp_path / "run", "seed", "tracks", 1))


def test_zero_epochs_are_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--epochs"):
        fit.main(fit_arguments(corpus, tmp_path / "run", "seed", "tracks", 0))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(corpus: Path, tmp_path: Path, seed: int) -> None:
    with pytest.raises(UsageError, match=f"--seed is {seed}; it must be from 0 to 4294967295"):
        fit.main([*fit_arguments(corpus, tmp_path / "run", "seed", "tracks", 1), "--seed", str(seed)])
