"""A second measurement of a finished run."""

from pathlib import Path

import pytest
from helpers.training import metrics_of

from edge.errors import EdgeError
from train import evaluate

pytestmark = [pytest.mark.workstation, pytest.mark.slow, pytest.mark.usefixtures("small_edge")]


def test_evaluate_reproduces_the_metrics_of_a_run(
    corpus: Path, edge_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = metrics_of(edge_run)
    assert evaluate.main([str(edge_run), "--data", str(corpus)]) == 0
    assert metrics_of(edge_run) == before
    assert "per track" in capsys.readouterr().out


def test_evaluate_refuses_another_corpus(make_corpus: object, edge_run: Path) -> None:
    with pytest.raises(EdgeError, match="is not the corpus"):
        evaluate.main([str(edge_run), "--data", str(make_corpus(clips=4))])


def test_evaluate_reproduces_the_metrics_of_a_leaky_run(corpus: Path, leaky_edge_run: Path) -> None:
    before = metrics_of(leaky_edge_run)
    assert evaluate.main([str(leaky_edge_run), "--data", str(corpus)]) == 0
    assert metrics_of(leaky_edge_run) == before
