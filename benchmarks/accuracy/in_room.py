"""The clips of a corpus as a microphone in a room hears them: files that can be made again, clip by clip."""

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
from train.audio import BadClipError, load
from train.corpus import Clip
from train.room import RATE, in_room

SNR_DB = 15.0


def record(clips: Sequence[Clip], folder: Path) -> list[Clip]:
    """Write what the microphone hears of each clip to a file in `folder`: the same clips with these as their paths.

    Clips that can't be read are named on standard error. Raise EdgeError where none can.
    """
    folder.mkdir()
    copies = [replace(clip, path=folder / f"{number}.flac") for number, clip in enumerate(clips)]
    jobs = (joblib.delayed(_record)(clip, copy.path) for clip, copy in zip(clips, copies, strict=True))
    results = joblib.Parallel(n_jobs=-1, return_as="generator")(jobs)
    reasons = list(tqdm(results, total=len(clips), desc="in the room", unit="clip", disable=None, leave=False))
    for clip, reason in zip(clips, reasons, strict=True):
        if reason:
            print(f"skipped {clip.name} in the room: {reason}", file=sys.stderr)
    if clips and all(reasons):
        raise EdgeError(f"none of {len(clips)} clips could be heard in the room, see above")
    return [copy for copy, reason in zip(copies, reasons, strict=True) if not reason]


def _record(clip: Clip, out: Path) -> str | None:
    try:
        samples = load(clip.path, RATE)
    except BadClipError as error:
        return str(error)
    rng = np.random.default_rng(zlib.crc32(clip.name.encode()))
    soundfile.write(out, in_room(samples, SNR_DB, rng), RATE, subtype="PCM_16")
    return None
