from pathlib import Path

import numpy as np
import pytest
from helpers.support import synthesise

from edge.model.card import CardError
from edge.model.load import SHIPPED_MODEL, load_model
from edge.model.runtime import installed_tflite_runtimes

MUSIC = synthesise(4.0, 22_050, 1)[:, 0]


@pytest.mark.parametrize("package", installed_tflite_runtimes())
def test_the_shipped_model_runs_in_every_runtime(package: str) -> None:
    model = load_model(package=package)
    assert model.network.runtime.startswith(package)
    model.advance(MUSIC)
    probabilities = model.probabilities()
    assert probabilities is not None
    assert probabilities.shape == (len(model.card.labels),)
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_a_loaded_model_has_heard_nothing() -> None:
    model = load_model()
    assert model.probabilities() is None
    assert model.context_seconds() == 0


def test_a_link_to_a_model_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "model").symlink_to(SHIPPED_MODEL)
    assert load_model(tmp_path / "model").card == load_model(SHIPPED_MODEL).card
    (tmp_path / "nothing").symlink_to("nowhere.tflite")
    with pytest.raises(CardError, match=r"nowhere\.tflite: can't read the model"):
        load_model(tmp_path / "nothing")


def test_another_model_of_the_same_file_shares_no_audio() -> None:
    model = load_model()
    model.advance(MUSIC)
    before = model.probabilities()
    another = model.another()
    assert another.network is model.network
    another.reset()
    another.advance(np.zeros_like(MUSIC))
    assert np.array_equal(model.probabilities(), before)
    assert not np.array_equal(another.probabilities(), before)


def test_features_are_normalised_as_the_card_says() -> None:
    model = load_model()
    mean, scale = model.card.normalisation.mean, model.card.normalisation.scale
    assert np.allclose(model.normalise(np.array([mean], np.float32) + np.array(scale, np.float32)), 1, atol=1e-4)
