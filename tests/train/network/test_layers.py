from pathlib import Path

import numpy as np
import pytest

from train.backend import keras
from train.evaluation.predictions import run_device_network
from train.network.layers import device_network, snap_to_int8, training_network, without_teacher
from train.network.notebook import window_network
from train.recipes import EDGE, SEED

pytestmark = pytest.mark.workstation

assert EDGE.stream is not None
STREAM = EDGE.stream


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    keras.utils.set_random_seed(1)
    return training_network(STREAM, 20, 5)


@pytest.fixture(scope="module")
def device(trained: keras.Model) -> keras.Model:
    return device_network(trained, STREAM, 20, 5)


def blocks(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(0, 2, (count, STREAM.block_frames, 20)).astype(np.float32)


def test_the_notebooks_network_has_as_many_parameters_as_the_original() -> None:
    network = window_network(SEED, 10)
    assert network.input_shape == (None, 130, 13)
    assert network.count_params() == 57_802


@pytest.mark.parametrize("count", [1, 17, STREAM.pool_blocks])
def test_stepping_equals_the_training_network(trained: keras.Model, device: keras.Model, count: int) -> None:
    clip = blocks(count)
    (stepped,) = run_device_network(device, [clip])
    np.testing.assert_allclose(stepped, without_teacher(trained)(clip[None])[0], atol=1e-5)


def test_the_teacher_output_pools_whole_windows_of_the_lstm() -> None:
    network = training_network(STREAM, 20, 5, teacher=7)
    clip = blocks(2 * STREAM.window_blocks + 3)
    outputs = network(clip[None])
    assert outputs["probabilities"].shape == (1, len(clip), STREAM.branches, 5)
    assert outputs["teacher"].shape == (1, 2, STREAM.branches, 7)
    until_the_second = np.concatenate([clip[: STREAM.window_blocks], 0 * clip[STREAM.window_blocks :]])
    np.testing.assert_allclose(network(until_the_second[None])["teacher"][0, 0], outputs["teacher"][0, 0], atol=1e-5)
    assert np.abs(network(until_the_second[None])["teacher"][0, 1] - outputs["teacher"][0, 1]).max() > 1e-3


def test_without_its_teacher_a_network_has_the_same_predictions() -> None:
    taught = training_network(STREAM, 20, 5, teacher=7)
    bare = without_teacher(taught)
    geometric = np.exp(np.log(taught(blocks(9)[None])["probabilities"]).mean(axis=-2))
    np.testing.assert_allclose(bare(blocks(9)[None]), geometric / geometric.sum(axis=-1, keepdims=True), atol=1e-6)
    assert bare.count_params() == training_network(STREAM, 20, 5).count_params() < taught.count_params()


def test_a_snapped_network_has_255_steps_a_matrix_and_nearly_equal_outputs() -> None:
    network = training_network(STREAM, 20, 5)
    before = network(blocks(9)[None])["probabilities"]
    snap_to_int8(network)
    for weights in network.get_weights():
        if weights.ndim == 2:
            steps = weights / (np.abs(weights).max() / 127)
            np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    assert 0 < np.abs(network(blocks(9)[None])["probabilities"] - before).max() < 0.02


def test_predictions_do_not_depend_on_longer_streams_in_the_batch(device: keras.Model) -> None:
    alone = run_device_network(device, [blocks(5)])[0]
    beside = run_device_network(device, [blocks(9), blocks(5)])[1]
    np.testing.assert_allclose(alone, beside, atol=1e-6)


def test_the_device_network_forgets_a_distant_past(device: keras.Model) -> None:
    """After four pooling lengths a loud past contributes less than e⁻⁴ to the pooled values."""
    past, present = 10 * blocks(40), blocks(4 * STREAM.pool_blocks)
    fresh = run_device_network(device, [present])[0][-1]
    used = run_device_network(device, [np.concatenate([past, present])])[0][-1]
    assert np.abs(fresh - used).max() < 0.05


def test_the_block_count_saturates_at_the_pooling_length(device: keras.Model) -> None:
    states = {i.name: np.zeros((1, *i.shape[1:]), np.float32) for i in device.inputs}
    states["count"][:] = STREAM.pool_blocks
    assert float(device(states)["next_count"][0, 0]) == STREAM.pool_blocks


def test_both_networks_load_without_custom_classes(trained: keras.Model, device: keras.Model, tmp_path: Path) -> None:
    for network in (trained, device):
        network.save(tmp_path / "network.keras")
        again = keras.models.load_model(tmp_path / "network.keras")
        assert [i.name for i in again.inputs] == [i.name for i in network.inputs]
        assert list(again.output_names) == list(network.output_names)
        for a, b in zip(again.get_weights(), network.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    (stepped,) = run_device_network(again, [blocks(12)])
    np.testing.assert_allclose(stepped[-1], without_teacher(trained)(blocks(12)[None])[0, -1], atol=1e-5)


def test_digital_silence_is_clipped(trained: keras.Model) -> None:
    at_limit = np.full((1, 4, STREAM.block_frames, 20), -STREAM.clip_at, np.float32)
    once, louder = (trained(x)["probabilities"] for x in (at_limit, 100 * at_limit))
    np.testing.assert_array_equal(once, louder)
