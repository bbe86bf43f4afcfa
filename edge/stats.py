"""Counters of a running listener."""

from dataclasses import dataclass


@dataclass
class Stats:
    """Updated by the audio source and the main loop, read by the outputs; all counts are since the start.

    Attributes
    ----------
    device
        Description of the audio source.
    model
        Name of the model in its card.
    model_sha256
        SHA-256 of the model file, in hex.
    overruns
        Number of times that audio was dropped because it was not read in time, here or in the sound system.
    reconnects
        Number of times that the source was lost and came back.
    delay_seconds
        Time from the last sample of the latest answer to that answer.
    """

    device: str = ""
    model: str = ""
    model_sha256: str = ""
    overruns: int = 0
    reconnects: int = 0
    delay_seconds: float = 0.0
