"""What Keras itself says of features: the measure for every converted file."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from convert.run_folder import FEATURES, NEXT, PROBABILITIES, apply, cut_steps, first_states
from edge.frontend import FloatArray

if TYPE_CHECKING:
    import keras

BATCH = 256


def probabilities(network: "keras.Model", inputs: FloatArray, frames: int) -> FloatArray:
    """Keras' answer at every call: (clips, frames in all, n_mfcc) → (clips, steps, labels)."""
    batches = (inputs[start : start + BATCH] for start in range(0, len(inputs), BATCH))
    answers = [[outputs[PROBABILITIES] for _, outputs in walk(network, batch, frames)] for batch in batches]
    return np.concatenate([np.stack(steps, axis=1) for steps in answers])


def walk(
    network: "keras.Model", inputs: FloatArray, frames: int
) -> Iterator[tuple[dict[str, FloatArray], dict[str, FloatArray]]]:
    """The network's inputs and outputs by name, call by call, over (clips, frames in all, n_mfcc) features."""
    states = first_states(network, len(inputs))
    for step in cut_steps(inputs, frames):
        fed = {FEATURES: step, **states}
        outputs = {name: np.asarray(value) for name, value in apply(network, fed).items()}
        yield fed, outputs
        states = {name: outputs[NEXT + name] for name in states}
