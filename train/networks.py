"""The networks: the notebook's window LSTM, and the LSTM that steps on blocks, once to be trained, once to be run.

Both stream networks are built of standard layers and `keras.ops` only, so that `keras.models.load_model` reads them
without any class of this project.
"""

from typing import Any

from train.backend import keras
from train.recipes import Recipe, Stream

ops = keras.ops
LEAST_VARIANCE = 1e-4  # under the root of every deviation, in training as on the device
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


def training_network(stream: Stream, n_mfcc: int, labels: int) -> keras.Model:
    """A whole crop at once: blocks (T, block_frames, n_mfcc) of normalised features → probabilities (labels,)."""
    blocks = keras.Input((None, stream.block_frames, n_mfcc), name="features")
    statistics = _block_statistics(blocks, stream.clip_at)
    heard = keras.layers.LSTM(stream.lstm_units, return_sequences=True, name="lstm")(statistics)
    both = ops.concatenate([heard, statistics], axis=-1)
    pooled = _mean_and_deviation(ops.mean(both, axis=1), ops.mean(ops.square(both), axis=1))
    return keras.Model(blocks, _head(pooled, stream, labels), name="training")


def device_network(trained: keras.Model, stream: Stream, n_mfcc: int, labels: int) -> keras.Model:
    """One block a call, with the weights of `trained`; all states start at zero.

    Features (block_frames, n_mfcc) and the states h, c (lstm_units,), pool_mean, pool_square (pooled values,) and
    count (1,) → probabilities (labels,) and each state's next value. While `count` < pool_blocks the pooling is the
    exact mean of all blocks heard, and equal to the training network's; from then on an exponential window.
    """
    pooled_size = stream.lstm_units + 2 * n_mfcc
    features = keras.Input((stream.block_frames, n_mfcc), name="features")
    h = keras.Input((stream.lstm_units,), name="h")
    c = keras.Input((stream.lstm_units,), name="c")
    pool_mean = keras.Input((pooled_size,), name="pool_mean")
    pool_square = keras.Input((pooled_size,), name="pool_square")
    count = keras.Input((1,), name="count")

    statistics = _block_statistics(features, stream.clip_at)
    step = ops.expand_dims(statistics, 1)
    lstm = keras.layers.LSTM(stream.lstm_units, return_state=True, name="lstm")
    heard, next_h, next_c = lstm(step, initial_state=[h, c])
    both = ops.concatenate([heard, statistics], axis=-1)
    next_count = ops.minimum(count + 1.0, float(stream.pool_blocks))
    next_mean = pool_mean + (both - pool_mean) / next_count
    next_square = pool_square + (ops.square(both) - pool_square) / next_count
    outputs = {
        "probabilities": _head(_mean_and_deviation(next_mean, next_square), stream, labels),
        "next_h": next_h,
        "next_c": next_c,
        "next_pool_mean": next_mean,
        "next_pool_square": next_square,
        "next_count": next_count,
    }
    device = keras.Model([features, h, c, pool_mean, pool_square, count], outputs, name="device")
    for name in ("lstm", "dense", "probabilities"):
        device.get_layer(name).set_weights(trained.get_layer(name).get_weights())
    return device


def _block_statistics(blocks: Tensor, clip_at: float) -> Tensor:
    """Mean and deviation over the frames of each block: (..., frames, n_mfcc) → (..., 2 * n_mfcc)."""
    clipped = ops.clip(blocks, -clip_at, clip_at)
    return _mean_and_deviation(ops.mean(clipped, axis=-2), ops.mean(ops.square(clipped), axis=-2))


def _mean_and_deviation(mean: Tensor, square: Tensor) -> Tensor:
    """Mean and standard deviation from the means of x and x²: twice (..., n) → (..., 2 n)."""
    deviation = ops.sqrt(ops.maximum(square - ops.square(mean), LEAST_VARIANCE))
    return ops.concatenate([mean, deviation], axis=-1)


def _head(pooled: Tensor, stream: Stream, labels: int) -> Tensor:
    x = keras.layers.Dense(stream.dense_units, activation="relu", name="dense")(pooled)
    x = keras.layers.Dropout(stream.dropout, name="dropout")(x)
    return keras.layers.Dense(labels, activation="softmax", name="probabilities")(x)
