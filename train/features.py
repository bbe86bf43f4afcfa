"""MFCCs by librosa, extracted in parallel and kept on disk.

What an entry of the cache depends on is its name: the file's bytes, the front end, the segmenting, librosa's version,
and the vocoder if the samples went through it.
"""

import dataclasses
import hashlib
import json
import os
import tempfile
from pathlib import Path

import joblib
import librosa
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from tqdm import tqdm

from edge.frontend import FloatArray, FrontEnd
from train.audio import BadClipError, decode
from train.recipes import Recipe
from train.vocoder import METHOD, vocode


def default_cache() -> Path:
    """Where features are kept: the user's cache folder, as the XDG base directory specification has it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-listen" / "features"


def mel_power(samples: FloatArray, front_end: FrontEnd) -> FloatArray:
    """Mel power spectrogram by librosa: (n,) samples → (n_mels, frames)."""
    power: FloatArray = librosa.feature.melspectrogram(
        y=samples,
        sr=front_end.sample_rate,
        n_fft=front_end.n_fft,
        hop_length=front_end.hop_length,
        n_mels=front_end.n_mels,
        fmin=front_end.f_min,
        fmax=front_end.f_max,
        center=front_end.center,
    )
    return power


def librosa_mfcc(samples: FloatArray, front_end: FrontEnd) -> FloatArray:
    """MFCCs as `edge.frontend.mfcc` has them, by librosa: (n,) samples → (frames, n_mfcc)."""
    decibels = librosa.power_to_db(mel_power(samples, front_end), top_db=front_end.top_db)
    features: FloatArray = librosa.feature.mfcc(S=decibels, n_mfcc=front_end.n_mfcc).T
    return features.astype(np.float32)


def compute(content: bytes, recipe: Recipe, vocoded: bool = False) -> FloatArray:
    """Features of an audio file's bytes: (parts, frames, n_mfcc). Raise BadClipError.

    A window recipe has one part for each whole segment, each computed on its own as the device does; a stream recipe
    has the whole clip as its only part. With `vocoded` they are of the clip's copy by `vocode`.
    """
    samples = decode(content, recipe.front_end.sample_rate)
    length = recipe.segment_samples
    if len(samples) < length:
        seconds = len(samples) / recipe.front_end.sample_rate
        raise BadClipError(f"too short ({seconds:.1f} s, a segment is {recipe.segment_seconds:g} s)")
    if vocoded:
        samples = vocode(samples, recipe.front_end.sample_rate)
    parts = [samples] if recipe.stream else sliding_window_view(samples, length)[::length]
    return np.stack([librosa_mfcc(part, recipe.front_end) for part in parts])


def extract(paths: list[Path], recipe: Recipe, cache: Path, vocoded: bool = False) -> list[FloatArray | str]:
    """For each file its features as `compute` has them, or the reason why there are none."""
    jobs = (joblib.delayed(_features_or_reason)(path, recipe, cache, vocoded) for path in paths)
    results = joblib.Parallel(n_jobs=-1, return_as="generator")(jobs)
    return list(
        tqdm(results, total=len(paths), desc="vocoded features" if vocoded else "features", unit="clip", disable=None)
    )


def _features_or_reason(path: Path, recipe: Recipe, cache: Path, vocoded: bool = False) -> FloatArray | str:
    try:
        content = path.read_bytes()
        entry = cache / f"{_key(content, recipe, vocoded)}.npy"
        features = _read_entry(entry, recipe.front_end.n_mfcc)
        if features is None:
            features = compute(content, recipe, vocoded)
            _write_entry(entry, features)
        return features
    except BadClipError as error:
        return str(error)
    except OSError as error:
        return f"unreadable ({error.strerror})"


def _key(content: bytes, recipe: Recipe, vocoded: bool) -> str:
    identity = {
        "audio": hashlib.sha256(content).hexdigest(),
        "front_end": dataclasses.asdict(recipe.front_end),
        "segment_samples": recipe.segment_samples,
        "whole_clip": recipe.stream is not None,
        "librosa": librosa.__version__,
    }
    if vocoded:
        identity["vocoded"] = METHOD
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def _read_entry(entry: Path, n_mfcc: int) -> FloatArray | None:
    """The features of a cache entry, None where it is missing or damaged."""
    try:
        features: FloatArray = np.load(entry, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    sound = features.dtype == np.float32 and features.ndim == 3 and features.shape[2] == n_mfcc
    return features if sound else None


def _write_entry(entry: Path, features: FloatArray) -> None:
    """Keep features under a name that appears only when they are complete; a full disk only costs the cache."""
    temporary = None
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=entry.parent, suffix=".tmp", delete=False) as file:
            temporary = Path(file.name)
            np.save(file, features)
        temporary.replace(entry)
    except OSError:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
