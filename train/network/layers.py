"""The networks: the notebook's window LSTM, and the LSTM that steps on blocks, once to be trained, once to be run.

Both stream networks are built of standard layers and `keras.ops` only, so that `keras.models.load_model` reads them
without any class of this project.
"""

from typing import Any

import numpy as np

from edge.frontend import FloatArray
from train.backend import keras
from train.recipes import Recipe, Stream

ops = keras.ops
LEAST_VARIANCE = 1e-4  # under every root, in training as on the device
STRAY = 20.0  # deviations, beyond which a number that describes a block says no more
UNDERFLOW = 1e-30  # in place of a probability that a softmax has brought down to 0
STATISTICS = 4  # numbers that describe a coefficient in a block, see `_describe`
Tensor = Any  # keras ships no types


def window_network(recipe: Recipe, labels: int) -> keras.Model:
    """The notebook's network: features (frames, n_mfcc) → probabilities (labels,)."""
    shape = (recipe.segment_frames, recipe.front_end.n_mfcc)
    features = keras.Input(shape, name="features")
    x = keras.layers.LSTM(64, return_sequences=True, name="lstm_1")(features)
    x = keras.layers.LSTM(64, name="lstm_2")(x)
    x = keras.layers.Dense(64, activation="relu", name="dense")(x)
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    probabilities = keras.layers.Dense(labels, activation="softmax", name="probabilities")(x)
    return keras.Model(features, probabilities, name="window")


def training_network(stream: Stream, n_mfcc: int, labels: int, teacher: int = 0) -> keras.Model:
    """A whole crop at once, each branch by itself: blocks (T, block_frames, n_mfcc) of normalised features →
    {"probabilities": (T, branches, labels)}.

    There is an answer after every block, of all blocks up to it. With `teacher` there is also "teacher": (windows,
    branches, teacher), what each whole window of window_blocks is to a teacher of that many features. Branches that
    were trained on their mean would share mistakes; trained apart, each makes its own (TreeNets, Lee et al. 2015).
    """
    blocks = keras.Input((None, stream.block_frames, n_mfcc), name="features")
    described = _describe(blocks, stream)
    answers, windows = [], []
    for number in range(stream.branches):
        kept = keras.layers.SpatialDropout1D(stream.block_dropout, name=f"block_dropout_{number}")(described)
        projected = _projection(stream, number)(kept)
        heard = keras.layers.LSTM(stream.lstm_units, return_sequences=True, name=f"lstm_{number}")(projected)
        count = ops.cumsum(ops.ones_like(heard[..., :1]), axis=1)
        answers.append(ops.softmax(_head(ops.cumsum(heard, axis=1) / count, stream, labels, number)))
        if teacher:
            window = keras.layers.AveragePooling1D(stream.window_blocks, name=f"windows_{number}")(heard)
            windows.append(keras.layers.Dense(teacher, name=f"teacher_{number}")(window))
    outputs = {"probabilities": ops.stack(answers, axis=-2)}
    if teacher:
        outputs["teacher"] = ops.stack(windows, axis=-2)
    return keras.Model(blocks, outputs, name="training")


def device_network(trained: keras.Model, stream: Stream, n_mfcc: int, labels: int) -> keras.Model:
    """One block a call, with the weights of `trained`; all states start at zero.

    Features (block_frames, n_mfcc) and the states h, c, pool_mean (branches * lstm_units,) and count (1,) →
    probabilities (labels,) and each state's next value. Until `count` reaches pool_blocks the pooling is the exact
    mean of all blocks heard, and equal to the training network's; from then on it is an exponential window.
    """
    features = keras.Input((stream.block_frames, n_mfcc), name="features")
    h, c, pool_mean = (
        keras.Input((stream.branches * stream.lstm_units,), name=name) for name in ("h", "c", "pool_mean")
    )
    count = keras.Input((1,), name="count")

    described = _describe(ops.expand_dims(features, 1), stream)
    next_count = ops.minimum(count + 1.0, float(stream.pool_blocks))
    answers, moved = [], []
    for number in range(stream.branches):
        own = slice(number * stream.lstm_units, (number + 1) * stream.lstm_units)
        lstm = keras.layers.LSTM(stream.lstm_units, return_state=True, name=f"lstm_{number}")
        heard, next_h, next_c = lstm(_projection(stream, number)(described), initial_state=[h[:, own], c[:, own]])
        next_mean = pool_mean[:, own] + (heard - pool_mean[:, own]) / next_count
        answers.append(_head(next_mean, stream, labels, number))
        moved.append((next_h, next_c, next_mean))
    agreed = ops.softmax(ops.mean(ops.stack(answers, axis=-2), axis=-2))  # the geometric mean of their probabilities
    outputs = {"probabilities": agreed, "next_count": next_count}
    for name, branches in zip(("next_h", "next_c", "next_pool_mean"), zip(*moved, strict=True), strict=True):
        outputs[name] = ops.concatenate(branches, axis=-1)
    device = keras.Model([features, h, c, pool_mean, count], outputs, name="device")
    for layer in device.layers:
        if layer.weights:
            layer.set_weights(trained.get_layer(layer.name).get_weights())
    return device


def without_teacher(trained: keras.Model) -> keras.Model:
    """The same training network with its branches' geometric mean as the only output, (T, labels), as a bare tensor."""
    logs = ops.log(ops.maximum(trained.output["probabilities"], UNDERFLOW))
    return keras.Model(trained.inputs[0], ops.softmax(ops.mean(logs, axis=-2)), name="training")


def snap_to_int8(network: keras.Model) -> None:
    """Round all matrices and filters to the 255 steps in which TFLite keeps them when it quantises.

    So all exported formats have the same weights, and what is measured on one holds for all: the dynamic-range file
    then differs from Keras by 0.006 in probability at most instead of 0.075, at the same accuracy.
    """
    for layer in network.layers:
        layer.set_weights([_snapped(weights) for weights in layer.get_weights()])


def _snapped(weights: FloatArray) -> FloatArray:
    """Steps of max |w| / 127, of a matrix or, as TFLite has it, of each filter of a convolution; vectors stay."""
    if weights.ndim < 2:
        return weights
    axes = None if weights.ndim == 2 else tuple(range(weights.ndim - 1))
    step = np.abs(weights).max(axis=axes, keepdims=True) / 127
    step = np.where(step > 0, step, 1.0)
    return (np.round(weights / step) * step).astype(np.float32)


def _describe(blocks: Tensor, stream: Stream) -> Tensor:
    """Each block in a few hundred numbers: (..., T, frames, n_mfcc) → (..., T, STATISTICS * n_mfcc + 2 * filters).

    For each coefficient the mean, the deviation, and how rough its course is: the root mean squares of its first and
    second differences. They go over 46 ms, a hop of this recipe: what changes within 23 ms is the recording's or the
    vocoder's as much as the music's. Then what two layers of filters find in the block, on average and at most.
    Standardised, because these spread far less from block to block than the coefficients do from frame to frame.
    """
    clipped = ops.clip(blocks, -stream.clip_at, stream.clip_at)
    mean = ops.mean(clipped, axis=-2, keepdims=True)
    first = clipped[..., 1:, :] - clipped[..., :-1, :]
    second = first[..., 1:, :] - first[..., :-1, :]
    spread = [_root_mean_square(x) for x in (clipped - mean, first, second)]
    found = clipped
    for number in (1, 2):
        # One block is a row of an image: no filter sees beyond it, so the device needs no more than the block.
        found = keras.layers.Conv2D(stream.filters, (1, stream.filter_frames), name=f"filters_{number}")(found)
        found = keras.layers.BatchNormalization(name=f"standard_filters_{number}")(found)
        found = ops.relu(found)
    filtered = [ops.mean(found, axis=-2), ops.max(found, axis=-2)]
    joined = ops.concatenate([ops.squeeze(mean, axis=-2), *spread, *filtered], axis=-1)
    standard = keras.layers.BatchNormalization(name="standard_blocks")(joined)
    # Without a limit in between, the converter would merge this with the matrices that follow, and take them off the
    # grid of `snap_to_int8`.
    return ops.clip(standard, -STRAY, STRAY)


def _root_mean_square(x: Tensor) -> Tensor:
    """Over the frames of each block: (..., frames, n_mfcc) → (..., n_mfcc)."""
    return ops.sqrt(ops.maximum(ops.mean(x * x, axis=-2), LEAST_VARIANCE))


def _projection(stream: Stream, branch: int) -> Any:
    return keras.layers.Dense(stream.projection, activation="relu", name=f"projection_{branch}")


def _head(pooled: Tensor, stream: Stream, labels: int, branch: int) -> Tensor:
    """Logits of what a branch has pooled."""
    x = keras.layers.BatchNormalization(name=f"standard_pool_{branch}")(pooled)
    x = keras.layers.Dropout(stream.dropout, name=f"dropout_{branch}")(x)
    return keras.layers.Dense(labels, name=f"logits_{branch}")(x)
