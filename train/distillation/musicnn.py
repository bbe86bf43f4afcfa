"""MusiCNN, the teacher: tags and embeddings of audio, from a network that was trained on 200 000 songs.

Pons and Serra 2019, ISC licence. It is installed separately, because it requires packages of 2019:
`pip install --no-deps musicnn==0.1.0` installs 29 MB including the weights. Nothing of it ships: the student
network learns to reproduce its outputs.
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

from edge.arrays import FloatArray
from edge.errors import EdgeError
from train.augment.variants import METHODS, make_variant
from train.corpus import cache
from train.corpus.audio import BadClipError, decode

CHECKPOINT = "MSD_musicnn"
RATE, HOP, N_FFT, N_MELS, FRAMES = 16_000, 256, 512, 96, 187  # input of musicnn 0.1.0
WINDOW_SECONDS = FRAMES * HOP / RATE  # 2.992
OUTPUTS = ("model/Sigmoid", "model/dense/Relu")
TAGS, EMBEDDING = 50, 200  # sizes of the outputs: tag probabilities, and the penultimate layer
WIDTH = TAGS + EMBEDDING


def musicnn_outputs(paths: list[Path], folder: Path, variant: str | None = None) -> list[FloatArray | str]:
    """Run MusiCNN on files, in processes of its own: the calling process stays free of TensorFlow.

    Parameters
    ----------
    paths
        Audio files.
    folder
        Folder of the cache.
    variant
        Kind of variant (train.augment.variants) to run it on; None for the files themselves.

    Returns
    -------
    list of ndarray or str
        For each file (windows, WIDTH) float32, tags before the embedding, one row for each consecutive window of
        WINDOW_SECONDS; or the reason why there is none.

    Raises
    ------
    EdgeError
        If MusiCNN is not installed.
    """
    checkpoint = _checkpoint()
    jobs = (joblib.delayed(_outputs_or_reason)(path, folder, checkpoint, variant) for path in paths)
    results = joblib.Parallel(n_jobs=-1, return_as="generator")(jobs)
    return list(tqdm(results, total=len(paths), desc="teacher", unit="clip", disable=None))


def _checkpoint() -> str:
    """Path prefix of the checkpoint in the installed wheel. Its own code needs TensorFlow 1 and is not imported."""
    spec = importlib.util.find_spec("musicnn")
    if spec is None or not spec.submodule_search_locations:
        raise EdgeError("the teacher is not installed: pip install --no-deps musicnn==0.1.0")
    return f"{Path(spec.submodule_search_locations[0]) / CHECKPOINT}/"


def _outputs_or_reason(path: Path, folder: Path, checkpoint: str, variant: str | None = None) -> FloatArray | str:
    def compute(content: bytes) -> FloatArray:
        samples = decode(content, RATE)
        if variant is not None:
            samples = make_variant(content, samples, RATE, variant)
        return _graph(checkpoint)(_log_mel_windows(samples))

    return cache.load_or_compute(
        path, lambda content: folder / f"{_key(content, variant)}.npy", (None, WIDTH), np.float32, compute
    )


def _key(content: bytes, variant: str | None) -> str:
    """Name of a cache entry. Users keep their caches: equal outputs must keep an equal name."""
    identity = f"{CHECKPOINT} {librosa.__version__} {hashlib.sha256(content).hexdigest()}"
    if variant is not None:
        identity += f" {variant} {METHODS[variant]}"
    return hashlib.sha256(identity.encode()).hexdigest()


def _log_mel_windows(samples: FloatArray) -> FloatArray:
    """Input of MusiCNN: (n,) samples at RATE → (windows, FRAMES, N_MELS). Raises BadClipError below one window."""
    mel = librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS).T
    count = len(mel) // FRAMES
    if not count:
        raise BadClipError(f"too short ({len(samples) / RATE:.1f} s, the teacher needs {WINDOW_SECONDS:.1f} s)")
    windows: FloatArray = np.log10(10_000 * mel[: count * FRAMES] + 1).astype(np.float32)
    return windows.reshape(count, FRAMES, N_MELS)


@functools.cache
def _graph(checkpoint: str) -> Callable[[FloatArray], FloatArray]:
    """Load the checkpoint as a function: (windows, FRAMES, N_MELS) → (windows, WIDTH).

    TensorFlow 2 cannot restore it, because its meta graph contains gradients of outdated shapes. So the variables
    become constants, and only the part of the graph before OUTPUTS is imported.
    """
    from train.backend import tf

    meta = tf.compat.v1.MetaGraphDef.FromString(Path(checkpoint + ".meta").read_bytes())
    graph = tf.Graph()
    with graph.as_default():
        definition = _inference_graph(meta.graph_def, tf.compat.v1.train.NewCheckpointReader(checkpoint))
        tf.import_graph_def(tf.compat.v1.graph_util.extract_sub_graph(definition, list(OUTPUTS)), name="")
    inputs = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
    switches = {tensor: False for tensor in inputs if tensor.dtype == tf.bool}  # is_training
    (audio,) = (tensor for tensor in inputs if tensor.dtype == tf.float32)
    one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    session = tf.compat.v1.Session(graph=graph, config=one_thread)

    def infer(windows: FloatArray) -> FloatArray:
        values = session.run([f"{name}:0" for name in OUTPUTS], {**switches, audio: windows})
        outputs: FloatArray = np.concatenate(values, axis=1).astype(np.float32)
        return outputs

    return infer


def _inference_graph(trained: Any, variables: Any) -> Any:
    """A graph of TensorFlow 1 without its training part, and with the checkpoint's values as constants."""
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
            for outdated in ("_output_shapes", "_class"):
                if outdated in node.attr:
                    del node.attr[outdated]
    return graph
