"""The two recipes: every number that a run depends on, except its seed."""

from dataclasses import dataclass

from edge.features.mfcc import FrontEnd
from edge.model.card import Thresholds


@dataclass(frozen=True)
class Augmentation:
    """Random levels, rooms and microphones for training crops. A pair is the range of a uniform distribution."""

    gain_db: float  # maximum change of level
    eq_db: float  # standard deviation of the first cosine of a smooth equaliser curve
    eq_terms: int  # number of cosines in that curve; the k-th is weighted by 1/k
    share: float  # of the crops that get a room; the same share gets noise, and the same a small microphone's band
    reverberation_seconds: tuple[float, float]  # RT60, the time until the power has decayed by 60 dB
    wet_share: tuple[float, float]  # of the power that is reverberated
    overdriven_share: float  # of the crops whose microphone clips
    overdrive_db: tuple[float, float]  # level of the distortion below the level of the sound
    snr_db: tuple[float, float]
    low_hz: tuple[float, float]  # lower edge of the microphone's band
    high_hz: tuple[float, float]  # its upper edge


@dataclass(frozen=True)
class Stream:
    """The network that runs on a stream in blocks of frames, and its training on crops of clips."""

    block_frames: int
    clip_at: float  # normalised features are clipped to ±clip_at, so that digital silence cannot flood the LSTM
    filters: int  # of each of the two convolutions within a block
    filter_frames: int
    branches: int  # LSTMs with an output each, on the same filters; their mean is more accurate than any one of them
    projection: int  # values per block at the input of each LSTM
    lstm_units: int  # of each branch
    block_dropout: float  # of whole block features over all time (SpatialDropout1D)
    dropout: float  # of pooled values
    pool_blocks: int  # length of the running pooling; an exact mean until that many blocks were heard
    window_blocks: int  # blocks in one window of the teacher
    crop_windows: int  # length of a training crop
    crops_per_clip: int  # in an epoch, on average
    speeds_share: float  # of the labelled crops that are taken from variants at other speeds
    rooms_share: float  # of the labelled crops that are taken from variants in rooms
    reconstructed_share: float  # of the crops of a class that has both recordings and reconstructions
    unlabelled_share: float  # of a batch, if there is unlabelled music
    teacher_weight: float  # of the teacher's embeddings in the loss
    opinion_share: float  # of the teacher's label probabilities in the target of a labelled clip
    weight_decay: float
    averaging: float  # momentum of the running average of the weights; the averaged weights are kept
    augmentation: Augmentation

    @property
    def window_frames(self) -> int:
        """Frames in one window of the teacher."""
        return self.window_blocks * self.block_frames

    @property
    def crop_frames(self) -> int:
        """Frames in a training crop."""
        return self.crop_windows * self.window_frames


@dataclass(frozen=True)
class Recipe:
    """A front end, a network and its training. Without `stream` the network takes windows of one segment."""

    name: str
    front_end: FrontEnd
    segment_seconds: float  # audio behind one prediction of the accuracy per segment; shorter clips are skipped
    epochs: int
    batch: int
    learning_rate: float
    chosen: str  # origin of these numbers, for metrics.json: tuning on a list flatters its accuracy
    stream: Stream | None
    thresholds: Thresholds  # of the card; a run sets `temperature` and `unknown_below`

    @property
    def segment_samples(self) -> int:
        """Samples in a segment."""
        return round(self.segment_seconds * self.front_end.sample_rate)

    @property
    def segment_frames(self) -> int:
        """Frames in a segment; for a stream the nearest number of whole blocks."""
        if self.stream is None:
            return self.front_end.frame_count(self.segment_samples)
        block = self.stream.block_frames
        return block * round(self.segment_seconds * self.front_end.frame_rate / block)


# `temperature` and `unknown_below` are set by each run. `ripe_seconds` is the length of a training crop, and the three
# fields about a change of music were measured on joined clips (train/EXPERIMENTS.md); a window network ignores them.
THRESHOLDS = Thresholds(
    temperature=1.0,
    unknown_below=0.0,
    silence_dbfs=-60.0,
    silence_seconds=1.0,
    smoothing_seconds=1.0,
    switch_margin=0.1,
    warm_up_seconds=3.0,
    ripe_seconds=27.0,
    change_seconds=2.25,
    before_seconds=12.0,
    change_novelty=11.0,
)

# The original notebook: librosa's defaults, including those that need the whole clip.
SEED = Recipe(
    name="seed",
    front_end=FrontEnd(n_mfcc=13, center=True, top_db=80.0),
    segment_seconds=3.0,
    epochs=50,
    batch=32,
    learning_rate=0.01,
    chosen="the numbers of this recipe are the original notebook's, which printed 0.7101 per segment on all of GTZAN",
    stream=None,
    thresholds=THRESHOLDS,
)

# The recipe that ships. f_min: the genres of GTZAN differ below 20 Hz, which no microphone records. The hop is half a
# window: twice as many frames cost twice as much and are no more accurate (train/EXPERIMENTS.md).
EDGE = Recipe(
    name="edge",
    front_end=FrontEnd(n_mfcc=40, f_min=30.0, hop_length=1024, center=False, top_db=None),
    segment_seconds=3.0,
    epochs=14,
    batch=32,
    learning_rate=2e-3,
    chosen="the numbers of this recipe were tuned on the valid list of the fault-filtered GTZAN",
    stream=Stream(
        block_frames=8,
        clip_at=5.0,
        filters=128,
        filter_frames=2,
        branches=4,
        projection=112,
        lstm_units=112,
        block_dropout=0.1,
        dropout=0.5,
        pool_blocks=48,  # 17.8 s
        window_blocks=8,  # 2.97 s, the window of the teacher is 2.99 s
        crop_windows=9,  # 26.7 s
        crops_per_clip=4,
        speeds_share=0.45,
        rooms_share=0.1,
        reconstructed_share=0.4,
        unlabelled_share=0.5,
        teacher_weight=3.0,
        opinion_share=0.5,
        weight_decay=0.02,  # AdamW multiplies it by the learning rate
        averaging=0.99,
        augmentation=Augmentation(
            gain_db=12.0,
            eq_db=1.5,
            eq_terms=5,
            share=0.2,
            reverberation_seconds=(0.15, 1.0),
            wet_share=(0.05, 0.6),
            overdriven_share=0.1,
            overdrive_db=(6.0, 25.0),
            snr_db=(8.0, 30.0),
            low_hz=(60.0, 250.0),
            high_hz=(5000.0, 11_000.0),
        ),
    ),
    thresholds=THRESHOLDS,
)

RECIPES = {recipe.name: recipe for recipe in (SEED, EDGE)}
