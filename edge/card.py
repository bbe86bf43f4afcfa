"""The model card: everything a device has to know about a model, inside the model's own file.

Training writes it, conversion carries it, the device obeys it. As JSON it has one object a data class, and no
key may be missing or unknown, so that a newer card is refused instead of half understood.
"""

import dataclasses
import json
from dataclasses import dataclass

from edge.errors import EdgeError
from edge.fields import build
from edge.frontend import FrontEnd

CARD_VERSION = 2
LONGEST_MEMORY = 600.0  # seconds of audio that a card may speak of


class CardError(EdgeError):
    """A model file whose card is missing, damaged or of another version."""


@dataclass(frozen=True)
class Normalisation:
    """What the network expects: (mfcc - mean) / scale, one number a coefficient."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]


@dataclass(frozen=True)
class State:
    """A tensor that a stream model hands to its own next call; it starts at zero."""

    input: str
    output: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Tensors:
    """Names of the network's tensors in this very file."""

    features: str  # (1, frames, n_mfcc) float32
    probabilities: str  # (1, labels) float32
    states: tuple[State, ...] = ()


@dataclass(frozen=True)
class Thresholds:
    """How probabilities become a steady answer; times in seconds, levels in dB re full scale."""

    temperature: float = 1.0  # log-probabilities are divided by it (Guo et al. 2017)
    unknown_below: float = 0.0  # confidence under which music gets no label
    silence_dbfs: float = -60.0  # RMS level under which nothing is playing
    silence_seconds: float = 1.0  # how long it has to be that quiet
    smoothing_seconds: float = 1.0  # time constant of the probabilities on show
    switch_margin: float = 0.1  # how much more probable a label must be than the one on show
    warm_up_seconds: float = 3.0  # audio that a first answer needs
    ripe_seconds: float = 27.0  # of audio, after which an answer counts no more: training hears no longer crops
    change_seconds: float = 2.25  # of a stream that are compared with what was before
    before_seconds: float = 12.0  # how much of it, at most
    change_novelty: float = 11.0  # difference at which a stream forgets what was before (edge.change)


@dataclass(frozen=True)
class Accuracy:
    """A measured accuracy with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    per: str  # "segment" or "track"


@dataclass(frozen=True)
class Training:
    """Where the weights come from."""

    recipe: str
    corpus: str
    split: str  # segments, tracks or lists
    leaky: bool  # tracks have parts on both sides of the split
    seed: int
    clips: int
    accuracy: tuple[Accuracy, ...]  # on the held-back side of the split


@dataclass(frozen=True)
class Card:
    """All of it. `mode` is "window" (hears `frames` frames, forgets) or "stream" (`frames` a call, keeps states)."""

    name: str
    labels: tuple[str, ...]
    not_music: tuple[str, ...]  # the labels among them that are no genre
    front_end: FrontEnd
    normalisation: Normalisation
    mode: str
    frames: int
    window_samples: int  # audio that a window spans; 0 in a stream
    thresholds: Thresholds
    training: Training
    versions: dict[str, str]  # package → version that made the file
    format: str = ""  # float32, dynamic, int8 or onnx; set by the export
    tensors: Tensors | None = None  # set by the export
    network_sha256: str = ""  # set by the container
    version: int = CARD_VERSION

    def __post_init__(self) -> None:
        """Raise ValueError where the parts don't fit each other."""
        if self.mode not in ("window", "stream"):
            raise ValueError(f'mode is "{self.mode}", not "window" or "stream"')
        if not 1 <= self.frames <= 100_000:
            raise ValueError(f"{self.frames} frames a call are outside 1..100000")
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError("labels are missing or not unique")
        if not set(self.not_music) <= set(self.labels):
            raise ValueError("not_music names a label that the model doesn't have")
        n_mfcc = self.front_end.n_mfcc
        if not len(self.normalisation.mean) == len(self.normalisation.scale) == n_mfcc:
            raise ValueError(f"normalisation needs {n_mfcc} means and scales")
        if not all(scale > 0 for scale in self.normalisation.scale):
            raise ValueError("a normalisation scale is not above 0")
        if not self.thresholds.temperature > 0:
            raise ValueError("the temperature is not above 0")
        for name in ("ripe_seconds", "change_seconds", "before_seconds"):
            if not 0 < (seconds := getattr(self.thresholds, name)) <= LONGEST_MEMORY:
                raise ValueError(f"{name} is {seconds:g}, not above 0 and up to {LONGEST_MEMORY:g}")
        if self.mode == "stream" and not self.front_end.streamable:
            raise ValueError("a stream model can't have center=True or top_db")
        if self.mode == "window" and self.front_end.frame_count(self.window_samples) != self.frames:
            raise ValueError(f"a window of {self.window_samples} samples doesn't hold {self.frames} frames")

    def exported(self, format: str, tensors: Tensors) -> "Card":
        """The card of a file in `format` whose network names its tensors so."""
        return dataclasses.replace(self, format=format, tensors=tensors)

    def to_json(self) -> str:
        """The card as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1)


def from_json(text: str | bytes) -> Card:
    """Read a card. Raise CardError, in one sentence, for anything that isn't a card of this version."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CardError(f"the model card is no JSON: {error}") from None
    if not isinstance(fields, dict):
        raise CardError("the model card is no JSON object")
    if fields.get("version") != CARD_VERSION:
        raise CardError(
            f"the model card has version {fields.get('version')!r}, this program reads version {CARD_VERSION}"
        )
    try:
        return build(Card, fields, "card")
    except ValueError as error:
        raise CardError(str(error)) from None
