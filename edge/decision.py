"""Probabilities in, a steady answer out: calibration, smoothing, hysteresis and the states, in one place."""

import dataclasses
import math
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from edge.card import Card
from edge.frontend import FloatArray

STATES = ("warming", "music", "other", "unknown", "silence", "lost")
LEAST_PROBABILITY = 1e-6  # keeps a label that was ruled out once from deciding alone
NOTHING_DBFS = -200.0  # level of exact zeros
MUTED_SECONDS = 5.0  # of exact zeros: the quietest microphone in the quietest room delivers noise
MUTED = "nothing but exact zeros: muted?"
STEADY_NOTHING = {"smoothing_seconds": 0.0, "switch_margin": 0.0, "warm_up_seconds": 0.0, "unknown_below": 0.0}


@dataclass(frozen=True)
class Answer:
    """What is playing, `t` seconds after the start: those heard and, of a live source, the `lost` ones among them.

    `state` is one of STATES, `label` is None unless it is "music", `confidence` is the probability of what is said
    (0 where the model was not asked), `top` holds labels with their probabilities, the likeliest first.
    `note` says why in words, where there is something to say.
    """

    t: float
    state: str
    label: str | None = None
    confidence: float = 0.0
    top: tuple[tuple[str, float], ...] = ()
    lost: float = 0.0
    note: str | None = None


def level_dbfs(samples: FloatArray) -> float:
    """RMS level of (n,) samples in dB re full scale."""
    power = float(samples @ samples) / len(samples) if len(samples) else 0.0
    return 10 * math.log10(power) if power > 0 else NOTHING_DBFS


def calibrate(probabilities: FloatArray, temperature: float) -> FloatArray:
    """Temperature scaling (Guo et al. 2017): (..., labels) probabilities → (..., labels), softer above 1."""
    scaled: FloatArray = np.maximum(probabilities, LEAST_PROBABILITY) ** np.float32(1 / temperature)
    calibrated: FloatArray = scaled / scaled.sum(axis=-1, keepdims=True)
    return calibrated


class Decision:
    """Holds what is on show, and changes it only for a reason."""

    def __init__(self, card: Card, raw: bool = False, heard_seconds: float = 0.0, lost_seconds: float = 0.0) -> None:
        """`raw` shows what the model says at each hop: nothing is smoothed, held, waited for or refused.

        The seconds are those that have passed before.
        """
        self.heard_seconds = heard_seconds
        self.lost_seconds = lost_seconds
        self._labels = card.labels
        self._is_music = [label not in card.not_music for label in card.labels]
        self._thresholds = dataclasses.replace(card.thresholds, **STEADY_NOTHING) if raw else card.thresholds
        self._quiet_seconds = 0.0
        self._zero_seconds = 0.0
        self._log_sum = [0.0] * len(card.labels)
        self._weight = 0.0
        self._forget()

    def _forget(self) -> None:
        self._smooth: list[float] | None = None
        self._shown: int | None = None
        self._warmth = 0.0

    @property
    def silent(self) -> bool:
        """Whether it has been quiet for so long that nothing is playing."""
        return self._quiet_seconds >= self._thresholds.silence_seconds

    def update(self, seconds: float, level: float, probabilities: FloatArray | None, behind: float) -> Answer:
        """The answer after `seconds` more of audio at RMS `level` dBFS.

        `probabilities` (labels,) is the model's word on what plays, and `behind` the seconds of audio that it rests on.
        """
        self.heard_seconds += seconds
        self._quiet_seconds = self._quiet_seconds + seconds if level < self._thresholds.silence_dbfs else 0.0
        self._zero_seconds = self._zero_seconds + seconds if level == NOTHING_DBFS else 0.0
        if self.silent:
            self._forget()
            return self._answer("silence", note=MUTED if self._zero_seconds >= MUTED_SECONDS else None)
        self._warmth += seconds
        if probabilities is None:
            return self._answer("warming")
        # A dozen numbers: lists of them are faster than arrays.
        calibrated: list[float] = calibrate(probabilities, self._thresholds.temperature).tolist()
        weight = 1 - math.exp(-seconds / max(self._thresholds.smoothing_seconds, 1e-3))
        before = self._smooth or calibrated
        self._smooth = [old + weight * (new - old) for old, new in zip(before, calibrated, strict=True)]
        if self._warmth < self._thresholds.warm_up_seconds:
            return self._answer("warming")
        ripeness = min(behind, self._thresholds.ripe_seconds)
        logs = [math.log(max(p, LEAST_PROBABILITY)) for p in calibrated]
        self._log_sum = [total + ripeness * log for total, log in zip(self._log_sum, logs, strict=True)]
        self._weight += ripeness
        self._shown = self._steady(self._smooth)
        return self._say(self._smooth, self._shown)

    def lost(self, seconds: float, forget: bool, why: str | None) -> Answer:
        """The answer after `seconds` without a sample; `forget` what was on show before them."""
        self.lost_seconds += seconds
        if forget:
            self._forget()
        return self._answer("lost", note=why)

    def final(self, last_word: FloatArray | None) -> Answer:
        """The answer for all that was heard; `last_word` serves where it was too short for an answer before."""
        if self._weight:
            # The geometric mean: a label that was ruled out for a while can't win. An answer counts for as long as it
            # has listened: on the validation list that labelled three files of 197 more rightly (train/EXPERIMENTS.md).
            mean = [math.exp(total / self._weight) for total in self._log_sum]
            whole = sum(mean)
            mean = [p / whole for p in mean]
        elif self.silent or last_word is None:
            return self._answer("silence" if self.silent else "warming")
        else:
            mean = calibrate(last_word, self._thresholds.temperature).tolist()
        return self._say(mean, _likeliest(mean))

    def _steady(self, probabilities: list[float]) -> int:
        """Index of the label to show: the one on show, unless another is clearly more probable."""
        best = _likeliest(probabilities)
        if self._shown is None:
            return best
        ahead = probabilities[best] - probabilities[self._shown]
        return best if ahead > self._thresholds.switch_margin else self._shown

    def _say(self, probabilities: list[float], shown: int) -> Answer:
        top = tuple(sorted(zip(self._labels, probabilities, strict=True), key=itemgetter(1), reverse=True))
        if not self._is_music[shown]:
            other = sum(p for p, is_music in zip(probabilities, self._is_music, strict=True) if not is_music)
            return self._answer("other", confidence=other, top=top)
        confidence = probabilities[shown]
        if confidence < self._thresholds.unknown_below:
            return self._answer("unknown", confidence=confidence, top=top)
        return self._answer("music", label=self._labels[shown], confidence=confidence, top=top)

    def _answer(self, state: str, **more: Any) -> Answer:
        return Answer(self.heard_seconds + self.lost_seconds, state, lost=self.lost_seconds, **more)


def _likeliest(probabilities: list[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)
