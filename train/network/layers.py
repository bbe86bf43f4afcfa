"""The stream network of the recipe `edge`, in two forms: for training on crops and for running block by block.

Both consist of standard layers and `keras.ops` only, so `keras.models.load_model` needs no class of this project.
"""

from typing import Any

import numpy as np

from edge.arrays import FloatArray
from train.backend import keras
from train.recipes import Stream

ops = keras.ops
MIN_VARIANCE = 1e-4  # least argument of every square root, in training as on the device
OUTLIER_SIGMAS = 20.0  # block features are clipped at this number of standard deviations
MIN_PROBABILITY = 1e-30  # in place of a probability that a softmax underflows to 0
STATISTICS = 4  # per coefficient of a block, see `_block_features`
Tensor = Any  # keras ships no types


def training_network(stream: Stream, n_mfcc: int, labels: int, teacher: int = 0) -> keras.Model:
    """Build the network that takes a whole crop at once.

    Branches are trained each on its own loss: branches that are trained on their mean share their errors
    (TreeNets, Lee et al. 2015).

    Parameters
    ----------
    stream
        Settings of the network.
    n_mfcc
        Coefficients in a frame.
    labels
        Number of classes.
    teacher
        Size of the teacher's embedding; 0 without a teacher.

    Returns
    -------
    keras.Model
        Normalised features (T, block_frames, n_mfcc) → "probabilities" (T, branches, labels), a prediction after every
        block from all blocks up to it; with a teacher also "teacher" (windows, branches, teacher), the predicted
        embedding of every whole window of window_blocks.
    """
    blocks = keras.Input((None, stream.block_frames, n_mfcc), name="features")
    features = _block_features(blocks, stream)
    predictions, windows = [], []
    for number in range(stream.branches):
        kept = keras.layers.SpatialDropout1D(stream.block_dropout, name=f"block_dropout_{number}")(features)
        projected = _projection(stream, number)(kept)
        remembered = keras.layers.LSTM(stream.lstm_units, return_sequences=True, name=f"lstm_{number}")(projected)
        count = ops.cumsum(ops.ones_like(remembered[..., :1]), axis=1)
        predictions.append(ops.softmax(_head(ops.cumsum(remembered, axis=1) / count, stream, labels, number)))
        if teacher:
            window = keras.layers.AveragePooling1D(stream.window_blocks, name=f"windows_{number}")(remembered)
            windows.append(keras.layers.Dense(teacher, name=f"teacher_{number}")(window))
    outputs = {"probabilities": ops.stack(predictions, axis=-2)}
    if teacher:
        outputs["teacher"] = ops.stack(windows, axis=-2)
    return keras.Model(blocks, outputs, name="training")


def device_network(trained: keras.Model, stream: Stream, n_mfcc: int, labels: int) -> keras.Model:
    """Build the network that takes one block per call, with the weights of `trained`.

    Parameters
    ----------
    trained
        A network of `training_network`.
    stream, n_mfcc, labels
        The settings that it was built with.

    Returns
    -------
    keras.Model
        Inputs: "features" (block_frames, n_mfcc) and the states "h", "c" and "pool_mean" (branches * lstm_units,) and
        "count" (1,), which all start at zero. Outputs: "probabilities" (labels,) and "next_" of each state. Until
        `count` reaches pool_blocks the pooling is the exact mean of all blocks, as in the training network; then it
        becomes an exponential window.
    """
    features = keras.Input((stream.block_frames, n_mfcc), name="features")
    h, c, pool_mean = (
        keras.Input((stream.branches * stream.lstm_units,), name=name) for name in ("h", "c", "pool_mean")
    )
    count = keras.Input((1,), name="count")

    described = _block_features(ops.expand_dims(features, 1), stream)
    next_count = ops.minimum(count + 1.0, float(stream.pool_blocks))
    logits, states = [], []
    for number in range(stream.branches):
        own = slice(number * stream.lstm_units, (number + 1) * stream.lstm_units)
        lstm = keras.layers.LSTM(stream.lstm_units, return_state=True, name=f"lstm_{number}")
        remembered, next_h, next_c = lstm(_projection(stream, number)(described), initial_state=[h[:, own], c[:, own]])
        next_mean = pool_mean[:, own] + (remembered - pool_mean[:, own]) / next_count
        logits.append(_head(next_mean, stream, labels, number))
        states.append((next_h, next_c, next_mean))
    probabilities = ops.softmax(ops.mean(ops.stack(logits, axis=-2), axis=-2))  # the branches' geometric mean
    outputs = {"probabilities": probabilities, "next_count": next_count}
    for name, branches in zip(("next_h", "next_c", "next_pool_mean"), zip(*states, strict=True), strict=True):
        outputs[name] = ops.concatenate(branches, axis=-1)
    device = keras.Model([features, h, c, pool_mean, count], outputs, name="device")
    for layer in device.layers:
        if layer.weights:
            layer.set_weights(trained.get_layer(layer.name).get_weights())
    return device


def without_teacher(trained: keras.Model) -> keras.Model:
    """The training network with the geometric mean of its branches as its only output: a bare tensor (T, labels)."""
    logs = ops.log(ops.maximum(trained.output["probabilities"], MIN_PROBABILITY))
    return keras.Model(trained.inputs[0], ops.softmax(ops.mean(logs, axis=-2)), name="training")


def snap_to_int8(network: keras.Model) -> None:
    """Round all matrices and filters to the 255 values that TFLite's int8 quantisation can represent, in place.

    So all exported formats have the same weights, and measurements of one are valid for all: the dynamic-range file
    then differs from Keras by at most 0.006 in probability instead of 0.075, at the same accuracy.
    """
    for layer in network.layers:
        layer.set_weights([_snapped(weights) for weights in layer.get_weights()])


def _snapped(weights: FloatArray) -> FloatArray:
    """Round to steps of max |w| / 127, per matrix or, as TFLite does, per filter of a convolution; vectors stay."""
    if weights.ndim < 2:
        return weights
    axes = None if weights.ndim == 2 else tuple(range(weights.ndim - 1))
    step = np.abs(weights).max(axis=axes, keepdims=True) / 127
    step = np.where(step > 0, step, 1.0)
    snapped: FloatArray = (np.round(weights / step) * step).astype(np.float32)
    return snapped


def _block_features(blocks: Tensor, stream: Stream) -> Tensor:
    """Describe each block: (..., T, frames, n_mfcc) → (..., T, STATISTICS * n_mfcc + 2 * filters).

    For each coefficient the mean, the standard deviation, and the root mean squares of its first and second
    differences, which measure how rough its course is. The differences span 46 ms, one hop of this recipe: changes
    within 23 ms characterise the recording or a vocoder as much as the music. Then mean and maximum of two layers of
    convolutions. The features are standardised, because they vary far less from block to block than the coefficients do
    from frame to frame.
    """
    clipped = ops.clip(blocks, -stream.clip_at, stream.clip_at)
    mean = ops.mean(clipped, axis=-2, keepdims=True)
    first = clipped[..., 1:, :] - clipped[..., :-1, :]
    second = first[..., 1:, :] - first[..., :-1, :]
    spread = [_root_mean_square(x) for x in (clipped - mean, first, second)]
    filtered = clipped
    for number in (1, 2):
        # A block is a row of an image: no filter reaches beyond it, so the device needs nothing but the block.
        filtered = keras.layers.Conv2D(stream.filters, (1, stream.filter_frames), name=f"filters_{number}")(filtered)
        filtered = keras.layers.BatchNormalization(name=f"standard_filters_{number}")(filtered)
        filtered = ops.relu(filtered)
    pooled = [ops.mean(filtered, axis=-2), ops.max(filtered, axis=-2)]
    joined = ops.concatenate([ops.squeeze(mean, axis=-2), *spread, *pooled], axis=-1)
    standard = keras.layers.BatchNormalization(name="standard_blocks")(joined)
    # The clip keeps the converter from merging the normalisation with the matrices that follow, which would take them
    # off the grid of `snap_to_int8`.
    return ops.clip(standard, -OUTLIER_SIGMAS, OUTLIER_SIGMAS)


def _root_mean_square(x: Tensor) -> Tensor:
    """Root mean square over the frames of each block: (..., frames, n_mfcc) → (..., n_mfcc)."""
    return ops.sqrt(ops.maximum(ops.mean(x * x, axis=-2), MIN_VARIANCE))


def _projection(stream: Stream, branch: int) -> Any:
    return keras.layers.Dense(stream.projection, activation="relu", name=f"projection_{branch}")


def _head(pooled: Tensor, stream: Stream, labels: int, branch: int) -> Tensor:
    """Logits of a branch from its pooled values."""
    x = keras.layers.BatchNormalization(name=f"standard_pool_{branch}")(pooled)
    x = keras.layers.Dropout(stream.dropout, name=f"dropout_{branch}")(x)
    return keras.layers.Dense(labels, name=f"logits_{branch}")(x)
