"""From probabilities to a steady answer: calibration, smoothing, hysteresis and the states."""

import dataclasses
import math
from operator import itemgetter
from typing import Any

import numpy as np

from edge.answer import Answer
from edge.arrays import FloatArray
from edge.model.card import Card

MIN_PROBABILITY = 1e-6  # floor that stops one near-zero probability from dominating the geometric mean
DIGITAL_SILENCE_DBFS = -200.0  # level of samples that are exactly zero
MUTED_SECONDS = 5.0  # of exact zeros: the quietest microphone in the quietest room delivers noise
MUTED = "nothing but exact zeros: muted?"
RAW_THRESHOLDS = {"smoothing_seconds": 0.0, "switch_margin": 0.0, "warm_up_seconds": 0.0, "unknown_below": 0.0}


def level_dbfs(samples: FloatArray) -> float:
    """RMS level of (n,) samples in dB re full scale; DIGITAL_SILENCE_DBFS for zeros and for no samples."""
    power = float(samples @ samples) / len(samples) if len(samples) else 0.0
    return 10 * math.log10(power) if power > 0 else DIGITAL_SILENCE_DBFS


def calibrate(probabilities: FloatArray, temperature: float) -> FloatArray:
    """Scale the temperature of probabilities (Guo et al. 2017).

    Parameters
    ----------
    probabilities
        (..., labels), sums of 1.
    temperature
        Divides the log-probabilities: above 1 the result is less confident.

    Returns
    -------
    (..., labels), sums of 1.
    """
    scaled: FloatArray = np.maximum(probabilities, MIN_PROBABILITY) ** np.float32(1 / temperature)
    calibrated: FloatArray = scaled / scaled.sum(axis=-1, keepdims=True)
    return calibrated


class Decision:
    """The state and label on show, which change only if another one is clearly more probable."""

    def __init__(self, card: Card, raw: bool = False, heard_seconds: float = 0.0, lost_seconds: float = 0.0) -> None:
        """Start with nothing on show.

        Parameters
        ----------
        card
            Labels and thresholds.
        raw
            Answer with the model's own output at each hop: no smoothing, hysteresis, warm-up or "unknown".
        heard_seconds, lost_seconds
            Audio that was heard and lost before.
        """
        self.heard_seconds = heard_seconds
        self.lost_seconds = lost_seconds
        self._labels = card.labels
        self._is_music = [label not in card.not_music for label in card.labels]
        self._thresholds = dataclasses.replace(card.thresholds, **RAW_THRESHOLDS) if raw else card.thresholds
        self._quiet_seconds = 0.0
        self._zero_seconds = 0.0
        self._log_sum = [0.0] * len(card.labels)  # of all answers, weighted by their context
        self._weight = 0.0
        self._smooth: list[float] | None = None
        self._shown: int | None = None
        self._active_seconds = 0.0  # of sound since the last silence or gap

    @property
    def silent(self) -> bool:
        """True after `silence_seconds` of quiet."""
        return self._quiet_seconds >= self._thresholds.silence_seconds

    def silent_after(self, seconds: float, level: float) -> bool:
        """True if `seconds` more of audio at RMS `level` dBFS would make, or keep, it silent."""
        return self._quiet_after(seconds, level) >= self._thresholds.silence_seconds

    def update(self, seconds: float, level: float, probabilities: FloatArray | None, context_seconds: float) -> Answer:
        """Answer after more audio.

        Parameters
        ----------
        seconds
            Length of the new audio.
        level
            Its RMS level in dBFS.
        probabilities
            (labels,) output of the model, None while it has none. Ignored in silence.
        context_seconds
            Length of the audio on which `probabilities` are based.
        """
        self.heard_seconds += seconds
        self._quiet_seconds = self._quiet_after(seconds, level)
        self._zero_seconds = self._zero_seconds + seconds if level == DIGITAL_SILENCE_DBFS else 0.0
        if self.silent:
            self._forget()
            return self._answer("silence", note=MUTED if self._zero_seconds >= MUTED_SECONDS else None)
        self._active_seconds += seconds
        if probabilities is None:
            return self._answer("warming")
        # For a dozen numbers lists are faster than arrays.
        calibrated: list[float] = calibrate(probabilities, self._thresholds.temperature).tolist()
        weight = 1 - math.exp(-seconds / max(self._thresholds.smoothing_seconds, 1e-3))
        before = self._smooth or calibrated
        self._smooth = [old + weight * (new - old) for old, new in zip(before, calibrated, strict=True)]
        if self._active_seconds < self._thresholds.warm_up_seconds:
            return self._answer("warming")
        context = min(context_seconds, self._thresholds.ripe_seconds)
        logs = [math.log(max(p, MIN_PROBABILITY)) for p in calibrated]
        self._log_sum = [total + context * log for total, log in zip(self._log_sum, logs, strict=True)]
        self._weight += context
        self._shown = self._steady(self._smooth)
        return self._classify(self._smooth, self._shown)

    def lost(self, seconds: float, forget: bool, why: str | None) -> Answer:
        """Answer after `seconds` without audio; with `forget` the label before them is not kept."""
        self.lost_seconds += seconds
        if forget:
            self._forget()
        return self._answer("lost", note=why)

    def summary(self, early_probabilities: FloatArray | None) -> Answer:
        """Answer for all audio so far.

        Parameters
        ----------
        early_probabilities
            (labels,) output of the model for audio that was too short for any answer; None if there is none.
        """
        if self._weight:
            # The geometric mean: a label that was ruled out for a while can't win. Each answer is weighted by its
            # context: on the validation list that labelled three files of 197 more rightly (train/EXPERIMENTS.md).
            mean = [math.exp(total / self._weight) for total in self._log_sum]
            whole = sum(mean)
            mean = [p / whole for p in mean]
        elif self.silent or early_probabilities is None:
            return self._answer("silence" if self.silent else "warming")
        else:
            mean = calibrate(early_probabilities, self._thresholds.temperature).tolist()
        return self._classify(mean, _argmax(mean))

    def _quiet_after(self, seconds: float, level: float) -> float:
        return self._quiet_seconds + seconds if level < self._thresholds.silence_dbfs else 0.0

    def _forget(self) -> None:
        self._smooth = None
        self._shown = None
        self._active_seconds = 0.0

    def _steady(self, probabilities: list[float]) -> int:
        """Index of the label to show: the one on show unless another is clearly more probable."""
        best = _argmax(probabilities)
        if self._shown is None:
            return best
        ahead = probabilities[best] - probabilities[self._shown]
        return best if ahead > self._thresholds.switch_margin else self._shown

    def _classify(self, probabilities: list[float], shown: int) -> Answer:
        top = tuple(sorted(zip(self._labels, probabilities, strict=True), key=itemgetter(1), reverse=True))
        if not self._is_music[shown]:
            other = sum(p for p, is_music in zip(probabilities, self._is_music, strict=True) if not is_music)
            return self._answer("other", confidence=other, top=top)
        confidence = probabilities[shown]
        if confidence < self._thresholds.unknown_below:
            return self._answer("unknown", confidence=confidence, top=top)
        return self._answer("music", label=self._labels[shown], confidence=confidence, top=top)

    def _answer(self, state: str, **fields: Any) -> Answer:
        return Answer(self.heard_seconds + self.lost_seconds, state, lost=self.lost_seconds, **fields)


def _argmax(probabilities: list[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)
