"""The functions behind `edge.listen` and `edge.label`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from edge.answer import Answer
from edge.arrays import FloatArray
from edge.audio.files import FileSource, sanitise
from edge.audio.open import open_audio
from edge.audio.source import AudioSource, Gap
from edge.config import HOP_SECONDS, Config
from edge.errors import EdgeError
from edge.listener import Listener, check_hop
from edge.model.load import SHIPPED_MODEL, load_model
from edge.model.model import Model


def listen(
    source: str | Path | AudioSource | Iterable[FloatArray] | None = None,
    *,
    device: str | None = None,
    rate: int | None = None,
    model: str | Path | Model = SHIPPED_MODEL,
    hop_seconds: float = HOP_SECONDS,
    raw: bool = False,
) -> Iterator[Answer]:
    """Say what is playing, hop by hop.

    Parameters
    ----------
    source
        An audio file; an open `AudioSource`, which stays the caller's; or blocks of samples at `rate`, each (n,) or
        (n, channels) floats in -1..1 of any length, in which NaN counts as 0. Without it the microphone `device` is
        opened.
    device
        Microphone as `edge-listen --device` takes it; None for the system's default one.
    rate
        Sample rate of the blocks in Hz.
    model
        A model file or a loaded model, which must not be used elsewhere meanwhile.
    hop_seconds
        Time between answers.
    raw
        Yield the model's own output: no smoothing, no thresholds.

    Yields
    ------
    Answer
        One per hop. A microphone never ends: leave the loop to close it.

    Raises
    ------
    TypeError
        If the arguments contradict each other, or blocks are not float arrays of one or two dimensions.
    UsageError
        If `rate` or `hop_seconds` is out of range.
    EdgeError
        If the source or the model can't be opened or read.

    Examples
    --------
    >>> import edge
    >>> for answer in edge.listen(edge.DEMO_CLIP, hop_seconds=15.0):
    ...     print(answer.time, answer.state, answer.label)
    15.0 music classical
    30.0 music blues

    Blocks from anywhere, here a second of zeros at 16 kHz:

    >>> import numpy as np
    >>> [answer.state for answer in edge.listen([np.zeros(16_000)], rate=16_000)]
    ['warming', 'silence']
    """
    named = isinstance(source, str | Path | AudioSource)
    if source is not None and device is not None:
        raise TypeError("give either a source or a device")
    if (rate is not None) != (source is not None and not named):
        raise TypeError("blocks of samples need a rate, and only they take one")
    if isinstance(source, AudioSource):
        return _answers(source, model, hop_seconds, raw)
    if source is None or isinstance(source, str | Path):
        return _open_and_answer(source, device, model, hop_seconds, raw)
    assert rate is not None
    return _answers_to_blocks(source, rate, model, hop_seconds, raw)


def label(path: str | Path, model: str | Path | Model = SHIPPED_MODEL) -> Answer:
    """Say what kind of music a whole file is.

    Parameters
    ----------
    path
        An audio file.
    model
        A model file or a loaded model; load it once to label many files.

    Returns
    -------
    Answer
        The answer for everything in the file; its `time` is the length in seconds.

    Raises
    ------
    EdgeError
        If the file is not audio, is damaged, or is too short for an answer.

    Examples
    --------
    >>> import edge
    >>> edge.label(edge.DEMO_CLIP).label
    'classical'
    """
    with FileSource(path) as source:
        listener = Listener(_loaded(model), source.rate)
        for block in source.blocks():
            assert not isinstance(block, Gap)  # a file has none
            listener.process(block)
        listener.flush()
        answer = listener.summary()
    if answer.state == "warming":
        raise EdgeError(f"{path}: {answer.time:.2f} s of audio is too short for an answer")
    return answer


def _open_and_answer(
    source: str | Path | None, device: str | None, model: str | Path | Model, hop_seconds: float, raw: bool
) -> Iterator[Answer]:
    loaded = _loaded(model)
    check_hop(loaded, hop_seconds)  # before anything is opened
    with open_audio(source, Config(device=device, hop=hop_seconds)) as audio:
        yield from _answers(audio, loaded, hop_seconds, raw)


def _answers(source: AudioSource, model: str | Path | Model, hop_seconds: float, raw: bool) -> Iterator[Answer]:
    listener = Listener(_loaded(model), source.rate, hop_seconds, raw)
    for block in source.blocks():
        if isinstance(block, Gap):
            yield listener.gap(block.seconds, source.rate, block.why)
        else:
            yield from listener.process(block)
    yield from listener.flush()


def _answers_to_blocks(
    blocks: Iterable[FloatArray], rate: int, model: str | Path | Model, hop_seconds: float, raw: bool
) -> Iterator[Answer]:
    listener = Listener(_loaded(model), rate, hop_seconds, raw)
    for block in blocks:
        samples = np.asarray(block)
        if not np.issubdtype(samples.dtype, np.floating):
            raise TypeError(f"blocks must be floats in -1..1, got {samples.dtype}")
        if samples.ndim not in (1, 2):
            raise TypeError(f"blocks must have the shape (n,) or (n, channels), got {samples.shape}")
        columns = samples if samples.ndim == 2 else samples[:, None]
        yield from listener.process(sanitise(columns.astype(np.float32, copy=False)))
    yield from listener.flush()


def _loaded(model: str | Path | Model) -> Model:
    return model if isinstance(model, Model) else load_model(model)
