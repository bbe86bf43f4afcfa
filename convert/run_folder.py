"""The parts of a run folder of train.fit that the conversion needs."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.arrays import FloatArray
from edge.errors import EdgeError
from edge.model.card import Card, CardError, from_json
from train.run.folder import CALIBRATION, CARD, HELD_BACK, NETWORK

if TYPE_CHECKING:
    import keras

# Names of the tensors of a stream network; a window network has `features` and `probabilities` only.
FEATURES = "features"
PROBABILITIES = "probabilities"
NEXT = "next_"  # the output `next_h` is the input `h` of the next call


@dataclass(frozen=True)
class Features:
    """Normalised network inputs, (clips, frames, n_mfcc), and the label index of each clip, (clips,)."""

    inputs: FloatArray
    labels: NDArray[np.int64]


def load_card(run: Path) -> Card:
    """Card of a finished run. Raises EdgeError if the folder holds none."""
    missing = [name for name in (NETWORK, CARD, CALIBRATION, HELD_BACK) if not (run / name).is_file()]
    if missing:
        raise EdgeError(f"{run} is not a finished run of train.fit: it lacks {', '.join(missing)}")
    try:
        return from_json((run / CARD).read_bytes())
    except CardError as error:
        raise EdgeError(f"{run / CARD}: {error}") from None


def load_features(run: Path, name: str) -> Features:
    """Features that the run stored as `name`: CALIBRATION (of the training side) or HELD_BACK."""
    with np.load(run / name) as arrays:
        return Features(arrays["inputs"], arrays["labels"])


def allow_tf_keras() -> None:
    """Allow tf_keras beside Keras 3, for the LSTM that TFLite can fuse; call it before TensorFlow is imported."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"


def load_network(run: Path) -> "keras.Model":
    """Keras network of the run. Raises EdgeError if the file is damaged."""
    allow_tf_keras()
    from train.backend import keras

    try:
        return keras.models.load_model(run / NETWORK, compile=False)
    except (ValueError, OSError) as error:
        raise EdgeError(f"{run / NETWORK} is not a Keras model: {str(error).splitlines()[0]}") from None


def first_states(network: "keras.Model", batch: int) -> dict[str, FloatArray]:
    """Zero states for `batch` streams, by name."""
    return {t.name: np.zeros((batch, *t.shape[1:]), np.float32) for t in network.inputs if t.name != FEATURES}


def apply(network: Any, fed: dict[str, Any]) -> dict[str, Any]:
    """Call a Keras network with inputs and outputs by name; a window network takes and returns bare tensors."""
    outputs = network(fed if len(fed) > 1 else fed[FEATURES], training=False)
    return outputs if isinstance(outputs, dict) else {PROBABILITIES: outputs}


def cut_calls(inputs: FloatArray, frames: int) -> FloatArray:
    """Cut features into calls: (clips, total frames, n_mfcc) → (calls, clips, frames, n_mfcc)."""
    clips, total, n_mfcc = inputs.shape
    steps = total // frames
    return inputs[:, : steps * frames].reshape(clips, steps, frames, n_mfcc).swapaxes(0, 1)
