"""Predictions of Keras itself, the reference for every converted file."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from convert.run_folder import FEATURES, NEXT, PROBABILITIES, apply, cut_calls, first_states
from edge.arrays import FloatArray

if TYPE_CHECKING:
    import keras

BATCH = 256


def probabilities(network: "keras.Model", inputs: FloatArray, frames: int) -> FloatArray:
    """Run a Keras network over clips, call by call.

    Parameters
    ----------
    network
        Network of a run.
    inputs
        Normalised features (clips, total frames, n_mfcc).
    frames
        Frames per call.

    Returns
    -------
    ndarray, (clips, calls, labels)
        Probabilities.
    """
    batches = (inputs[start : start + BATCH] for start in range(0, len(inputs), BATCH))
    of_batches = [[outputs[PROBABILITIES] for _, outputs in walk(network, batch, frames)] for batch in batches]
    return np.concatenate([np.stack(steps, axis=1) for steps in of_batches])


def walk(
    network: "keras.Model", inputs: FloatArray, frames: int
) -> Iterator[tuple[dict[str, FloatArray], dict[str, FloatArray]]]:
    """Yield the inputs and outputs of each call by name, over (clips, total frames, n_mfcc) features."""
    states = first_states(network, len(inputs))
    for step in cut_calls(inputs, frames):
        fed = {FEATURES: step, **states}
        outputs = {name: np.asarray(value) for name, value in apply(network, fed).items()}
        yield fed, outputs
        states = {name: outputs[NEXT + name] for name in states}
