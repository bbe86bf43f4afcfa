"""Measurements of the held-back side, and their tables for a terminal."""

from typing import Any

import numpy as np

from edge.decision import calibrate
from edge.model.card import Thresholds
from edge.table import format_table
from train.corpus.dataset import Dataset
from train.evaluation.metrics import Measurement, measure
from train.evaluation.predictions import Predictions, SidePredictions, file_level
from train.evaluation.thresholds import CoveragePoint


def measurements(
    predictions: SidePredictions, dataset: Dataset, thresholds: Thresholds, seed: int
) -> dict[str, Measurement]:
    """Measure one side of the split: measurements by name. They are about music unless the name says otherwise."""
    temperature = thresholds.temperature

    def measured(of_kind: Predictions, per: str, chosen: set[int]) -> Measurement:
        take = np.isin(of_kind.clips, sorted(chosen))
        calibrated = calibrate(of_kind.probabilities[take], temperature)
        owners = of_kind.clips[take]
        return measure(calibrated, predictions.labels[owners], owners, dataset.labels, per, seed)

    clips = predictions.clips
    music = {i for i, clip in enumerate(clips) if clip.label not in dataset.not_music}
    found = {
        "per_segment": measured(predictions.per_segment, "segment", music),
        "per_track": measured(predictions.per_track, "track", music),
        "per_track_as_a_file": measured(file_level(predictions), "track", music),
    }
    if predictions.whole_clip is not None:
        found["per_track_by_training_network"] = measured(predictions.whole_clip, "track", music)
    if len(music) < len(clips):
        found["per_track_with_not_music"] = measured(predictions.per_track, "track", set(range(len(clips))))
        found["per_track_of_not_music"] = measured(predictions.per_track, "track", set(range(len(clips))) - music)
    sources = {i: dataset.sources[clips[i].name] for i in music if clips[i].name in dataset.sources}
    for source in sorted(set(sources.values())):
        chosen = {i for i, own in sources.items() if own == source}
        found[f"per_track_of_{source}"] = measured(predictions.per_track, "track", chosen)
    if predictions.vocoded is not None:
        found["per_track_of_vocoded"] = measured(predictions.vocoded, "track", music)
    return found


def vocoder_check(predictions: SidePredictions, dataset: Dataset) -> dict[str, Any]:
    """Measure whether the network takes the vocoder's sound for the classes that are mostly reconstructed.

    Returns
    -------
    dict
        How often recorded music of the other classes gets one of these labels, as it is and vocoded. Empty if there is
        no such music, and for a corpus of recordings.
    """
    if predictions.vocoded is None:
        return {}
    suspects = [dataset.labels.index(label) for label in dataset.mostly_reconstructed]
    clips = predictions.vocoded.clips[~np.isin(predictions.labels[predictions.vocoded.clips], suspects)]
    if not len(clips):
        return {}

    def share(of_kind: Predictions) -> float:
        predicted = of_kind.probabilities[np.isin(of_kind.clips, clips)].argmax(axis=1)
        return round(float(np.isin(predicted, suspects).mean()), 4)

    shares = {"recorded": share(predictions.per_track), "vocoded": share(predictions.vocoded)}
    return {"called_mostly_reconstructed": {"classes": list(dataset.mostly_reconstructed), "n": len(clips)} | shares}


def measurement_table(found: dict[str, Measurement], dataset: Dataset) -> str:
    """The measurements as text."""
    heading = f"held back: {'each fold in turn' if dataset.folds else dataset.held_back}; {dataset.note}"
    rows = [
        (name.replace("_", " "), f"{m.accuracy:.4f}", f"[{m.low:.4f}, {m.high:.4f}]", f"n = {m.n} ({m.tracks} tracks)")
        for name, m in found.items()
    ]
    return f"{heading}\n{format_table(rows, '<<<<')}"


def coverage_table(curve: list[CoveragePoint]) -> str:
    """The coverage curve as text."""
    rows = [("threshold for unknown", "music labelled", "of it right")]
    for p in curve:
        right = "-" if p["accuracy"] is None else f"{p['accuracy']:.1%}"
        rows.append((f"{p['threshold']:.3f}", f"{p['coverage']:.1%}", right))
    return format_table(rows, ">>>")
