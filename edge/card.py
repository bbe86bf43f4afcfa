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

# What a card may ask of a device: far more than any model here needs, far less than what exhausts a small one.
LONGEST_MEMORY = 600.0  # seconds of audio that a card may speak of
LONGEST_WINDOW = 60.0  # seconds
MOST_LABELS = 1000
MOST_FRAMES_A_SECOND = 1000
MOST_SAMPLES_A_SECOND = 1 << 22  # that are transformed: frames overlap
LARGEST_FILTERS = 1 << 21  # n_fft * n_mels; to make them takes 20 bytes each
MOST_BLOCKS = 4096  # of a stream, that are compared with each other
TEMPERATURES = (0.09, 100.0)  # training looks from 0.1 to 10; much less would make 0 of every probability
SCALES = (1e-6, 1e6)  # that single precision can divide by, and go on with
GREATEST_MEAN = 1e6


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
        if not 2 <= len(self.labels) <= MOST_LABELS or len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels are not unique, or not 2 to {MOST_LABELS}")
        if not set(self.not_music) <= set(self.labels):
            raise ValueError("not_music names a label that the model doesn't have")
        n_mfcc = self.front_end.n_mfcc
        if not len(self.normalisation.mean) == len(self.normalisation.scale) == n_mfcc:
            raise ValueError(f"normalisation needs {n_mfcc} means and scales")
        if not all(SCALES[0] <= scale <= SCALES[1] for scale in self.normalisation.scale):
            raise ValueError(f"a normalisation scale is outside {SCALES[0]:g}..{SCALES[1]:g}")
        if not all(abs(mean) <= GREATEST_MEAN for mean in self.normalisation.mean):
            raise ValueError(f"a normalisation mean is beyond {GREATEST_MEAN:g}")
        if not TEMPERATURES[0] <= self.thresholds.temperature <= TEMPERATURES[1]:
            raise ValueError(f"the temperature is outside {TEMPERATURES[0]:g}..{TEMPERATURES[1]:g}")
        for name in ("ripe_seconds", "change_seconds", "before_seconds"):
            if not 0 < (seconds := getattr(self.thresholds, name)) <= LONGEST_MEMORY:
                raise ValueError(f"{name} is {seconds:g}, not above 0 and up to {LONGEST_MEMORY:g}")
        self._check_work()
        if self.mode == "stream":
            self._check_stream()
        else:
            self._check_window()

    def _check_work(self) -> None:
        """Raise ValueError for a front end that a device would have to work at for hours, or that is all rounding."""
        front_end = self.front_end
        if not front_end.frame_rate <= MOST_FRAMES_A_SECOND:
            raise ValueError(f"hop_length makes {front_end.frame_rate:g} frames a second of {MOST_FRAMES_A_SECOND}")
        if not front_end.frame_rate * front_end.n_fft <= MOST_SAMPLES_A_SECOND:
            raise ValueError(f"n_fft {front_end.n_fft} is too much for {front_end.frame_rate:g} frames a second")
        if not front_end.n_fft * front_end.n_mels <= LARGEST_FILTERS:
            raise ValueError(f"n_fft {front_end.n_fft} times n_mels {front_end.n_mels} is above {LARGEST_FILTERS}")
        if not front_end.f_max - front_end.f_min >= (bin_width := front_end.sample_rate / front_end.n_fft):
            raise ValueError(f"f_min and f_max are not even {bin_width:g} Hz apart, a bin of n_fft")

    def _check_stream(self) -> None:
        if not self.front_end.streamable:
            raise ValueError("a stream model can't have center=True or top_db")
        seconds = self.thresholds.change_seconds + self.thresholds.before_seconds
        if not (blocks := seconds * self.front_end.frame_rate / self.frames) <= MOST_BLOCKS:
            raise ValueError(f"change_seconds and before_seconds are {blocks:.0f} blocks, more than {MOST_BLOCKS}")

    def _check_window(self) -> None:
        if self.front_end.frame_count(self.window_samples) != self.frames:
            raise ValueError(f"a window of {self.window_samples} samples doesn't hold {self.frames} frames")
        if not (seconds := self.window_samples / self.front_end.sample_rate) <= LONGEST_WINDOW:
            raise ValueError(f"a window of {seconds:g} s is longer than {LONGEST_WINDOW:g} s")
        if self.tensors and self.tensors.states:
            raise ValueError("a window model has no states")

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
        _check_text(fields)
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
    except (ValueError, RecursionError) as error:  # to show what is nested deeply is another recursion
        raise CardError(str(error)) from None


def _check_text(value: object) -> None:
    """Raise CardError for text that would end a line, steer a terminal or be no UTF-8 where it is printed."""
    if isinstance(value, str) and not value.isprintable():
        raise CardError(f"the model card holds text that can't be shown: {value!a:.60}")
    for item in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_text(item)
