"""What a network that heard 200 000 songs makes of a clip: tags and features of MusiCNN (Pons and Serra 2019, ISC).

It is installed apart, because its own requirements are from 2019: `pip install --no-deps musicnn==0.1.0` brings 29 MB
with the weights in it. Nothing of it ships: a student learns to say the same of the same audio.
"""

import functools
import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import librosa
import numpy as np
from tqdm import tqdm

from edge.errors import EdgeError
from edge.frontend import FloatArray
from train.augment.variants import METHODS, copy_of
from train.corpus import cache
from train.corpus.audio import BadClipError, decode

CHECKPOINT = "MSD_musicnn"
RATE, HOP, N_FFT, N_MELS, FRAMES = 16_000, 256, 512, 96, 187  # of musicnn 0.1.0
WINDOW_SECONDS = FRAMES * HOP / RATE  # 2.992
OUTPUTS = ("model/Sigmoid", "model/dense/Relu")
TAGS, FEATURES = 50, 200  # probabilities of tags, and the penultimate layer
WIDTH = TAGS + FEATURES


def signals(paths: list[Path], folder: Path, kind: str | None = None) -> list[FloatArray | str]:
    """For each file (windows, WIDTH) of consecutive windows of WINDOW_SECONDS, kept in `folder`, or why there are none.

    With `kind` they are of that copy of the file (train.augment.variants).

    Raise EdgeError where MusiCNN is not installed. It runs in processes of its own, so the caller's stays free of
    TensorFlow.
    """
    checkpoint = _checkpoint()
    jobs = (joblib.delayed(_signals_or_reason)(path, folder, checkpoint, kind) for path in paths)
    found = joblib.Parallel(n_jobs=-1, return_as="generator")(jobs)
    return list(tqdm(found, total=len(paths), desc="teacher", unit="clip", disable=None))


def _checkpoint() -> str:
    """Path prefix of the checkpoint in the installed wheel, whose own code can't be imported without TensorFlow 1."""
    spec = importlib.util.find_spec("musicnn")
    if spec is None or not spec.submodule_search_locations:
        raise EdgeError("the teacher is not installed: pip install --no-deps musicnn==0.1.0")
    return f"{Path(spec.submodule_search_locations[0]) / CHECKPOINT}/"


def _signals_or_reason(path: Path, folder: Path, checkpoint: str, kind: str | None = None) -> FloatArray | str:
    def compute(content: bytes) -> FloatArray:
        samples = decode(content, RATE)
        if kind is not None:
            samples = copy_of(content, samples, RATE, kind)
        return _graph(checkpoint)(_log_mel_windows(samples))

    return cache.of_file(
        path, lambda content: folder / f"{_key(content, kind)}.npy", (None, WIDTH), np.float32, compute
    )


def _key(content: bytes, kind: str | None) -> str:
    identity = f"{CHECKPOINT} {librosa.__version__} {hashlib.sha256(content).hexdigest()}"
    if kind is not None:
        identity += f" {kind} {METHODS[kind]}"
    return hashlib.sha256(identity.encode()).hexdigest()


def _log_mel_windows(samples: FloatArray) -> FloatArray:
    """(n,) samples at RATE → (windows, FRAMES, N_MELS), as musicnn computes them. Raise BadClipError without one."""
    mel = librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS).T
    count = len(mel) // FRAMES
    if not count:
        raise BadClipError(f"too short ({len(samples) / RATE:.1f} s, the teacher hears {WINDOW_SECONDS:.1f} s)")
    windows: FloatArray = np.log10(10_000 * mel[: count * FRAMES] + 1).astype(np.float32)
    return windows.reshape(count, FRAMES, N_MELS)


@functools.cache
def _graph(checkpoint: str) -> Callable[[FloatArray], FloatArray]:
    """The checkpoint as a function: (windows, FRAMES, N_MELS) → (windows, WIDTH).

    TensorFlow of today can't restore it, for its meta graph holds gradients of stale shapes: so the variables become
    constants, and only what leads to OUTPUTS is loaded.
    """
    from train.backend import tf

    meta = tf.compat.v1.MetaGraphDef.FromString(Path(checkpoint + ".meta").read_bytes())
    graph = tf.Graph()
    with graph.as_default():
        definition = _inference_part(meta.graph_def, tf.compat.v1.train.NewCheckpointReader(checkpoint))
        tf.import_graph_def(tf.compat.v1.graph_util.extract_sub_graph(definition, list(OUTPUTS)), name="")
    inputs = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
    switches = {tensor: False for tensor in inputs if tensor.dtype == tf.bool}  # is_training
    (audio,) = (tensor for tensor in inputs if tensor.dtype == tf.float32)
    one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    session = tf.compat.v1.Session(graph=graph, config=one_thread)

    def infer(windows: FloatArray) -> FloatArray:
        values = session.run([f"{name}:0" for name in OUTPUTS], {**switches, audio: windows})
        return np.concatenate(values, axis=1).astype(np.float32)

    return infer


def _inference_part(trained: Any, variables: Any) -> Any:
    """A graph of 2019 without what only training needs, its variables as constants of the checkpoint's values."""
    from train.backend import tf

    known = variables.get_variable_to_shape_map()
    graph = tf.compat.v1.GraphDef(versions=trained.versions)
    for source in trained.node:
        if source.name.startswith(("save", "gradients")) or "Adam" in source.name:
            continue
        node = graph.node.add()
        if source.op in ("Variable", "VariableV2") and source.name in known:
            value = variables.get_tensor(source.name)
            node.name, node.op = source.name, "Const"
            node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        else:
            node.CopyFrom(source)
            node.op = {"RefSwitch": "Switch", "RefMerge": "Merge"}.get(source.op, source.op)
            for stale in ("_output_shapes", "_class"):
                if stale in node.attr:
                    del node.attr[stale]
    return graph
