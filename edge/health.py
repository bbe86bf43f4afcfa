"""How well the hearing itself goes: what a live source and the loop count while they run."""

from dataclasses import dataclass


@dataclass
class Health:
    """Written by the source and the loop, read by whoever shows it; all counts since the start."""

    device: str = ""  # what is listened to, in words
    model: str = ""  # what listens: its name in the card
    model_sha256: str = ""  # of the file
    overruns: int = 0  # times that audio was dropped because nobody took it in time, here or in the sound system
    reconnects: int = 0  # times that the source was lost and has come back
    delay_seconds: float = 0.0  # from the last sample of an answer to the answer
