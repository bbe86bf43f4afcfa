"""What the converter needs of a run folder that train.fit has written."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.card import Card, CardError, from_json
from edge.errors import EdgeError
from edge.frontend import FloatArray
from train.run.folder import CALIBRATION, CARD, HELD_BACK, NETWORK

if TYPE_CHECKING:
    import keras

# The step network's own words for its tensors; a window network has `features` and `probabilities` only.
FEATURES = "features"
PROBABILITIES = "probabilities"
NEXT = "next_"  # the output `next_h` is the input `h` of the next call


@dataclass(frozen=True)
class Features:
    """Normalised network inputs, (clips, frames, n_mfcc), and the label index of each clip, (clips,)."""

    inputs: FloatArray
    labels: NDArray[np.int64]


def load_card(run: Path) -> Card:
    """The card of a finished run. Raise EdgeError for a folder that is none."""
    missing = [name for name in (NETWORK, CARD, CALIBRATION, HELD_BACK) if not (run / name).is_file()]
    if missing:
        raise EdgeError(f"{run} is no finished run of train.fit: it has no {', '.join(missing)}")
    try:
        return from_json((run / CARD).read_bytes())
    except CardError as error:
        raise EdgeError(f"{run / CARD}: {error}") from None


def load_features(run: Path, name: str) -> Features:
    """The features that the run kept under `name`: CALIBRATION (training side) or HELD_BACK."""
    with np.load(run / name) as arrays:
        return Features(arrays["inputs"], arrays["labels"])


def allow_tf_keras() -> None:
    """Before TensorFlow is imported: tf_keras beside Keras 3, for the LSTM that TFLite can fuse."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"


def load_network(run: Path) -> "keras.Model":
    """The Keras network of the run."""
    allow_tf_keras()
    from train.backend import keras

    try:
        return keras.models.load_model(run / NETWORK, compile=False)
    except (ValueError, OSError) as error:
        raise EdgeError(f"{run / NETWORK} is no Keras model: {str(error).splitlines()[0]}") from None


def first_states(network: "keras.Model", batch: int) -> dict[str, FloatArray]:
    """States of `batch` streams that have heard nothing."""
    return {t.name: np.zeros((batch, *t.shape[1:]), np.float32) for t in network.inputs if t.name != FEATURES}


def apply(network: Any, fed: dict[str, Any]) -> dict[str, Any]:
    """One call of a Keras network, inputs and outputs by name; a window network takes and gives bare tensors."""
    outputs = network(fed if len(fed) > 1 else fed[FEATURES], training=False)
    return outputs if isinstance(outputs, dict) else {PROBABILITIES: outputs}


def cut_steps(inputs: FloatArray, frames: int) -> FloatArray:
    """(clips, frames in all, n_mfcc) → (steps, clips, frames a call, n_mfcc)."""
    clips, total, n_mfcc = inputs.shape
    steps = total // frames
    return inputs[:, : steps * frames].reshape(clips, steps, frames, n_mfcc).swapaxes(0, 1)
