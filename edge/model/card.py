"""The model card: everything that a device needs to know about a model, inside the model's own file.

Training writes it, conversion carries it, the device obeys it. Its JSON has one object per data class. No key may be
missing or unknown, so that a newer card is refused instead of half understood.
"""

import dataclasses
import json
from dataclasses import dataclass

from edge.errors import EdgeError
from edge.features.mfcc import FrontEnd
from edge.strict_dataclass import build

CARD_VERSION = 2

# Limits on what a card demands of a device: far above any model of this project, far below what exhausts a small one.
MAX_MEMORY_SECONDS = 600.0  # of audio, for each threshold in seconds
MAX_WINDOW_SECONDS = 60.0
MAX_LABELS = 1000
MAX_FRAME_RATE = 1000  # frames per second
MAX_FFT_RATE = 1 << 22  # samples transformed per second: frames overlap
MAX_FILTER_WEIGHTS = 1 << 21  # n_fft * n_mels; each takes 20 bytes while the filters are computed
MAX_NOVELTY_BLOCKS = 4096
TEMPERATURES = (0.09, 100.0)  # training searches 0.1 to 10; much less turns every probability into 0
SCALES = (1e-6, 1e6)  # by which single precision divides without overflow
MAX_MEAN = 1e6


class CardError(EdgeError):
    """The card of a model file is missing, damaged or of another version."""


@dataclass(frozen=True)
class Normalisation:
    """Scaling of the network's inputs: (mfcc - mean) / scale, one number per coefficient."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]


@dataclass(frozen=True)
class State:
    """A tensor that a stream model passes to its own next call; it starts at zero."""

    input: str
    output: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Tensors:
    """Names of the network's tensors in this file."""

    features: str  # (1, frames, n_mfcc) float32
    probabilities: str  # (1, labels) float32
    states: tuple[State, ...] = ()


@dataclass(frozen=True)
class Thresholds:
    """Parameters that turn probabilities into a steady answer; the recipe of the model sets them.

    Attributes
    ----------
    temperature
        Divides the log-probabilities (Guo et al. 2017).
    unknown_below
        Confidence below which music gets no label.
    silence_dbfs, silence_seconds
        RMS level in dB re full scale below which nothing is playing, and for how long it must be that quiet.
    smoothing_seconds
        Time constant of the probabilities on show.
    switch_margin
        Difference in probability that makes another label replace the one on show.
    warm_up_seconds
        Audio that a first answer needs.
    ripe_seconds
        Context from which on an answer gets no more weight in the summary of a file.
    change_seconds, before_seconds, change_novelty
        Lengths of the audio after and before a possible change of music, and the novelty from which on it is one
        (`edge.model.novelty`).
    """

    temperature: float
    unknown_below: float
    silence_dbfs: float
    silence_seconds: float
    smoothing_seconds: float
    switch_margin: float
    warm_up_seconds: float
    ripe_seconds: float
    change_seconds: float
    before_seconds: float
    change_novelty: float


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
    """Origin of the weights."""

    recipe: str
    corpus: str
    split: str  # segments, tracks, lists or folds
    leaky: bool  # parts of one track are on both sides of the split
    seed: int
    clips: int
    accuracy: tuple[Accuracy, ...]  # on the held-back side of the split


@dataclass(frozen=True)
class Card:
    """A complete card.

    `mode` is "window" (`frames` frames per answer, no memory) or "stream" (`frames` frames per call, with states).
    """

    name: str
    labels: tuple[str, ...]
    not_music: tuple[str, ...]  # the labels among them that are not a genre
    front_end: FrontEnd
    normalisation: Normalisation
    mode: str
    frames: int
    window_samples: int  # length of a window; 0 in a stream
    thresholds: Thresholds
    training: Training
    versions: dict[str, str]  # package → version, of those that made the file
    format: str = ""  # float32, dynamic, int8 or onnx; set by the export
    tensors: Tensors | None = None  # set by the export
    network_sha256: str = ""  # set by edge.model.file
    version: int = CARD_VERSION

    def __post_init__(self) -> None:
        """Raise ValueError if the parts contradict each other or exceed the limits."""
        if self.mode not in ("window", "stream"):
            raise ValueError(f'mode must be "window" or "stream", got "{self.mode}"')
        if not 1 <= self.frames <= 100_000:
            raise ValueError(f"frames must be from 1 to 100000, got {self.frames}")
        if not 2 <= len(self.labels) <= MAX_LABELS or len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels must be unique, and 2 to {MAX_LABELS}")
        if not set(self.not_music) <= set(self.labels):
            raise ValueError("not_music names a label that the model does not have")
        n_mfcc = self.front_end.n_mfcc
        if not len(self.normalisation.mean) == len(self.normalisation.scale) == n_mfcc:
            raise ValueError(f"normalisation needs {n_mfcc} means and scales")
        if not all(SCALES[0] <= scale <= SCALES[1] for scale in self.normalisation.scale):
            raise ValueError(f"each normalisation scale must be from {SCALES[0]:g} to {SCALES[1]:g}")
        if not all(abs(mean) <= MAX_MEAN for mean in self.normalisation.mean):
            raise ValueError(f"each normalisation mean must be from {-MAX_MEAN:g} to {MAX_MEAN:g}")
        if not TEMPERATURES[0] <= self.thresholds.temperature <= TEMPERATURES[1]:
            raise ValueError(f"temperature must be from {TEMPERATURES[0]:g} to {TEMPERATURES[1]:g}")
        for name in ("ripe_seconds", "change_seconds", "before_seconds"):
            if not 0 < (seconds := getattr(self.thresholds, name)) <= MAX_MEMORY_SECONDS:
                raise ValueError(f"{name} must be above 0 and at most {MAX_MEMORY_SECONDS:g}, got {seconds:g}")
        self._check_work()
        if self.mode == "stream":
            self._check_stream()
        else:
            self._check_window()

    def _check_work(self) -> None:
        """Raise ValueError for a front end that takes a device too long or whose bands are narrower than a bin."""
        front_end = self.front_end
        if not front_end.frame_rate <= MAX_FRAME_RATE:
            raise ValueError(f"hop_length gives {front_end.frame_rate:g} frames per second, more than {MAX_FRAME_RATE}")
        if not front_end.frame_rate * front_end.n_fft <= MAX_FFT_RATE:
            raise ValueError(f"n_fft {front_end.n_fft} is too large for {front_end.frame_rate:g} frames per second")
        if not front_end.n_fft * front_end.n_mels <= MAX_FILTER_WEIGHTS:
            raise ValueError(f"n_fft {front_end.n_fft} times n_mels {front_end.n_mels} is above {MAX_FILTER_WEIGHTS}")
        if not front_end.f_max - front_end.f_min >= (bin_width := front_end.sample_rate / front_end.n_fft):
            raise ValueError(f"f_min and f_max must be at least {bin_width:g} Hz apart, one bin of n_fft")

    def _check_stream(self) -> None:
        if not self.front_end.streamable:
            raise ValueError("a stream model can't have center=True or top_db")
        seconds = self.thresholds.change_seconds + self.thresholds.before_seconds
        if not (blocks := seconds * self.front_end.frame_rate / self.frames) <= MAX_NOVELTY_BLOCKS:
            raise ValueError(
                f"change_seconds and before_seconds are {blocks:.0f} blocks, more than {MAX_NOVELTY_BLOCKS}"
            )

    def _check_window(self) -> None:
        if self.front_end.frame_count(self.window_samples) != self.frames:
            raise ValueError(f"a window of {self.window_samples} samples doesn't hold {self.frames} frames")
        if not (seconds := self.window_samples / self.front_end.sample_rate) <= MAX_WINDOW_SECONDS:
            raise ValueError(f"a window of {seconds:g} s is longer than {MAX_WINDOW_SECONDS:g} s")
        if self.tensors and self.tensors.states:
            raise ValueError("a window model can't have states")

    def exported(self, format: str, tensors: Tensors) -> "Card":
        """A copy for a file in `format` whose network has these tensor names."""
        return dataclasses.replace(self, format=format, tensors=tensors)

    def to_json(self) -> str:
        """The card as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1)


def from_json(text: str | bytes) -> Card:
    """Read a card. Raise CardError for anything that is not a card of this version."""
    try:
        fields = json.loads(text)
        _check_text(fields)
    except (ValueError, RecursionError) as error:
        raise CardError(f"the model card is not valid JSON: {error}") from None
    if not isinstance(fields, dict):
        raise CardError("the model card is not a JSON object")
    if fields.get("version") != CARD_VERSION:
        raise CardError(
            f"the model card has version {fields.get('version')!r}, this program reads version {CARD_VERSION}"
        )
    try:
        return build(Card, fields, "card")
    except (ValueError, RecursionError) as error:  # printing a deeply nested value recurses, too
        raise CardError(str(error)) from None


def _check_text(value: object) -> None:
    """Raise CardError for text with line breaks, control characters or surrogates, since labels are printed."""
    if isinstance(value, str) and not value.isprintable():
        raise CardError(f"the model card has text that is not printable: {value!a:.60}")
    for item in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_text(item)
