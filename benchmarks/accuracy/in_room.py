"""Recordings of clips by a microphone in a simulated room; the same clip always gives the same recording."""

import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import soundfile
from tqdm import tqdm

from edge.errors import EdgeError
from train.augment.room import RATE, in_room
from train.corpus.audio import BadClipError, load_audio
from train.corpus.clips import Clip

SNR_DB = 15.0


def record(clips: Sequence[Clip], folder: Path) -> list[Clip]:
    """Write a recording of each clip to a new folder.

    Returns
    -------
    The same clips with the recordings as their paths. Clips that can't be read are left out, and reported on standard
    error.

    Raises
    ------
    EdgeError
        If no clip can be read.
    """
    folder.mkdir()
    recordings = [replace(clip, path=folder / f"{number}.flac") for number, clip in enumerate(clips)]
    jobs = (joblib.delayed(_record)(clip, copy.path) for clip, copy in zip(clips, recordings, strict=True))
    results = joblib.Parallel(n_jobs=-1, return_as="generator")(jobs)
    reasons = list(tqdm(results, total=len(clips), desc="in the room", unit="clip", disable=None, leave=False))
    for clip, reason in zip(clips, reasons, strict=True):
        if reason:
            print(f"skipped {clip.name} in the room: {reason}", file=sys.stderr)
    if clips and all(reasons):
        raise EdgeError(f"none of {len(clips)} clips could be recorded in the room, see above")
    return [copy for copy, reason in zip(recordings, reasons, strict=True) if not reason]


def _record(clip: Clip, out: Path) -> str | None:
    try:
        samples = load_audio(clip.path, RATE)
    except BadClipError as error:
        return str(error)
    rng = np.random.default_rng(zlib.crc32(clip.name.encode()))
    soundfile.write(out, in_room(samples, SNR_DB, rng), RATE, subtype="PCM_16")
    return None
