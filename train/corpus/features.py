"""Features by librosa, computed in parallel and cached on disk.

The name of a cache entry is a hash of everything that its content depends on: the bytes of the file, the front end, the
length of a segment, the version of librosa, and the variant.
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

from edge.arrays import FloatArray
from edge.features.mfcc import FrontEnd, dct_basis
from train.augment.variants import METHODS, make_variant
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
    """MFCCs by librosa, the reference for `edge.features.mfcc.mfcc`: (n,) samples → (frames, n_mfcc) float32."""
    features: FloatArray = librosa.feature.mfcc(S=log_mel(samples, front_end).T, n_mfcc=front_end.n_mfcc).T
    return features.astype(np.float32)


def mfccs(features: FloatArray, recipe: Recipe) -> FloatArray:
    """MFCCs of one example of `compute_features`: (frames, n_mfcc or n_mels) → (frames, n_mfcc)."""
    return mfcc_from_log_mel(features, recipe.front_end) if recipe.stream else features


def mfcc_from_log_mel(log_mel: FloatArray, front_end: FrontEnd) -> FloatArray:
    """Orthonormal DCT-II of mel power in dB: (..., n_mels) → (..., n_mfcc) float32."""
    basis = dct_basis(front_end.n_mfcc, front_end.n_mels).astype(np.float32)
    features: FloatArray = log_mel.astype(np.float32) @ basis
    return features


def compute_features(content: bytes, recipe: Recipe, variant: str | None = None) -> FloatArray:
    """Compute the training features of an audio file.

    Parameters
    ----------
    content
        Bytes of the file.
    recipe
        A window recipe gives the MFCCs of each whole segment, each computed on its own as on the device. A stream
        recipe gives the log-mel power of the whole clip: training changes it (train.augment.mel) before it computes
        MFCCs.
    variant
        Kind of variant (train.augment.variants); None for the clip itself.

    Returns
    -------
    ndarray
        (segments, frames, n_mfcc) float32 of a window recipe; (1, frames, n_mels) float16 in dB of a stream recipe.
        Half precision is a rounding of 0.03 dB and halves the size of a corpus.

    Raises
    ------
    BadClipError
        If the file cannot be decoded or is shorter than a segment.
    """
    samples = decode(content, recipe.front_end.sample_rate)
    length = recipe.segment_samples
    if len(samples) < length:
        seconds = len(samples) / recipe.front_end.sample_rate
        raise BadClipError(f"too short ({seconds:.1f} s, a segment is {recipe.segment_seconds:g} s)")
    if variant is not None:
        samples = make_variant(content, samples, recipe.front_end.sample_rate, variant)
    if recipe.stream is not None:
        return log_mel(samples, recipe.front_end)[None].astype(np.float16)
    segments = sliding_window_view(samples, length)[::length]
    return np.stack([librosa_mfcc(segment, recipe.front_end) for segment in segments])


def extract_features(
    paths: list[Path], recipe: Recipe, folder: Path, variant: str | None = None
) -> list[FloatArray | str]:
    """Features of many files, in parallel and cached in `folder`.

    Returns
    -------
    list of ndarray or str
        For each file its features as from `compute_features`, or the reason why there are none.
    """
    jobs = (joblib.delayed(_features_or_reason)(path, recipe, folder, variant) for path in paths)
    results = joblib.Parallel(n_jobs=-1, return_as="generator")(jobs)
    return list(tqdm(results, total=len(paths), desc=f"features {variant or ''}", unit="clip", disable=None))


def _features_or_reason(path: Path, recipe: Recipe, folder: Path, variant: str | None = None) -> FloatArray | str:
    front_end = recipe.front_end
    width, dtype = (front_end.n_mels, np.float16) if recipe.stream else (front_end.n_mfcc, np.float32)
    return cache.load_or_compute(
        path,
        lambda content: folder / f"{_key(content, recipe, variant)}.npy",
        (None, None, width),
        dtype,
        lambda content: compute_features(content, recipe, variant),
    )


def _key(content: bytes, recipe: Recipe, variant: str | None) -> str:
    """Name of a cache entry. Users keep their caches: equal features must keep an equal name."""
    front_end = dataclasses.asdict(recipe.front_end)
    if recipe.stream is not None:
        del front_end["n_mfcc"]  # the log-mel power does not depend on it
    identity = {
        "audio": hashlib.sha256(content).hexdigest(),
        "front_end": front_end,
        "segment_samples": recipe.segment_samples,
        "log_mel": recipe.stream is not None,
        "librosa": librosa.__version__,
    }
    if variant is not None:
        identity[variant] = METHODS[variant]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
