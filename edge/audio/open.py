"""Opening an audio source by what a user names."""

from pathlib import Path
from typing import BinaryIO

from edge.audio.source import AudioSource
from edge.config import Config

DEMO_CLIP = Path(__file__).parents[1] / "data" / "demo.ogg"


def open_audio(source: str | Path | BinaryIO | None, config: Config = Config()) -> AudioSource:  # noqa: B008 - frozen
    """Open a file, a stream of raw PCM, or the microphone.

    Parameters
    ----------
    source
        Path of an audio file; an open binary stream of raw PCM; or None for a microphone.
    config
        `rate`, `channels` and `bits` of raw PCM; `device`, `channel` and `wait` of the microphone,
        whose blocks are at most `hop` long.

    Returns
    -------
    AudioSource
        An open source; close it, or use it in a `with` statement.

    Raises
    ------
    EdgeError
        If it can't be opened.

    Examples
    --------
    >>> import edge
    >>> with edge.open_audio(edge.DEMO_CLIP) as source:
    ...     source.rate, next(source.blocks()).shape
    (22050, (11025, 1))
    """
    if isinstance(source, str | Path):
        from edge.audio.files import FileSource

        return FileSource(source)
    if source is not None:
        from edge.audio.pcm import PcmSource

        return PcmSource(source, config.rate, config.channels, config.bits)
    from edge.audio.microphone.microphone import Microphone

    return Microphone(config.device, config.channel, config.wait, config.hop)
