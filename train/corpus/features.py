"""Features by librosa, extracted in parallel and kept on disk.

What an entry of the cache depends on is its name: the file's bytes, the front end, the segmenting, librosa's version,
and the kind of copy.
"""

import dataclasses
import hashlib
import json
from pathlib import Path

import joblib
import librosa
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from tqdm import tqdm

from edge.frontend import FloatArray, FrontEnd, dct_basis
from train.augment.variants import METHODS, copy_of
from train.corpus import cache
from train.corpus.audio import BadClipError, decode
from train.recipes import Recipe


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


def log_mel(samples: FloatArray, front_end: FrontEnd) -> FloatArray:
    """Mel power in dB re 1.0 by librosa: (n,) samples → (frames, n_mels)."""
    decibels: FloatArray = librosa.power_to_db(mel_power(samples, front_end), top_db=front_end.top_db).T
    return decibels


def librosa_mfcc(samples: FloatArray, front_end: FrontEnd) -> FloatArray:
    """MFCCs as `edge.frontend.mfcc` has them, by librosa: (n,) samples → (frames, n_mfcc)."""
    features: FloatArray = librosa.feature.mfcc(S=log_mel(samples, front_end).T, n_mfcc=front_end.n_mfcc).T
    return features.astype(np.float32)


def mfccs(features: FloatArray, recipe: Recipe) -> FloatArray:
    """MFCCs of a part of what `compute` has: (frames, n_mfcc or n_mels) → (frames, n_mfcc)."""
    return cepstra(features, recipe.front_end) if recipe.stream else features


def cepstra(log_mel: FloatArray, front_end: FrontEnd) -> FloatArray:
    """MFCCs of mel power in dB: (..., n_mels) → (..., n_mfcc)."""
    basis = dct_basis(front_end.n_mfcc, front_end.n_mels).astype(np.float32)
    features: FloatArray = log_mel.astype(np.float32) @ basis
    return features


def compute(content: bytes, recipe: Recipe, kind: str | None = None) -> FloatArray:
    """What a recipe learns from, of an audio file's bytes. Raise BadClipError.

    A window recipe has (segments, frames, n_mfcc): the MFCCs of each whole segment, each computed on its own as the
    device does. A stream recipe has (1, frames, n_mels): the whole clip's mel power in dB, of which training makes
    MFCCs after it has put the clip into other surroundings; half precision, 0.03 dB, halves what a corpus takes. With
    `kind` they are of that copy of the clip (train.augment.variants).
    """
    samples = decode(content, recipe.front_end.sample_rate)
    length = recipe.segment_samples
    if len(samples) < length:
        seconds = len(samples) / recipe.front_end.sample_rate
        raise BadClipError(f"too short ({seconds:.1f} s, a segment is {recipe.segment_seconds:g} s)")
    if kind is not None:
        samples = copy_of(content, samples, recipe.front_end.sample_rate, kind)
    if recipe.stream is not None:
        return log_mel(samples, recipe.front_end)[None].astype(np.float16)
    return np.stack([librosa_mfcc(part, recipe.front_end) for part in sliding_window_view(samples, length)[::length]])


def extract(paths: list[Path], recipe: Recipe, folder: Path, kind: str | None = None) -> list[FloatArray | str]:
    """For each file its features as `compute` has them, or the reason why there are none."""
    jobs = (joblib.delayed(_features_or_reason)(path, recipe, folder, kind) for path in paths)
    results = joblib.Parallel(n_jobs=-1, return_as="generator")(jobs)
    return list(tqdm(results, total=len(paths), desc=f"features {kind or ''}", unit="clip", disable=None))


def _features_or_reason(path: Path, recipe: Recipe, folder: Path, kind: str | None = None) -> FloatArray | str:
    front_end = recipe.front_end
    width, dtype = (front_end.n_mels, np.float16) if recipe.stream else (front_end.n_mfcc, np.float32)
    return cache.of_file(
        path,
        lambda content: folder / f"{_key(content, recipe, kind)}.npy",
        (None, None, width),
        dtype,
        lambda content: compute(content, recipe, kind),
    )


def _key(content: bytes, recipe: Recipe, kind: str | None) -> str:
    front_end = dataclasses.asdict(recipe.front_end)
    if recipe.stream is not None:
        del front_end["n_mfcc"]  # of no account yet
    identity = {
        "audio": hashlib.sha256(content).hexdigest(),
        "front_end": front_end,
        "segment_samples": recipe.segment_samples,
        "log_mel": recipe.stream is not None,
        "librosa": librosa.__version__,
    }
    if kind is not None:
        identity[kind] = METHODS[kind]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
