"""Hear what kind of music is playing: an LSTM on streaming MFCCs.

    import edge
    for answer in edge.listen("song.flac"):
        print(answer.time, answer.label, answer.confidence)

Public names are those in `__all__`; each is imported when it is first used. edge/README.md describes them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.answer import STATES as STATES
    from edge.answer import Answer as Answer
    from edge.api import label as label
    from edge.api import listen as listen
    from edge.audio.open import DEMO_CLIP as DEMO_CLIP
    from edge.audio.open import open_audio as open_audio
    from edge.audio.source import AudioSource as AudioSource
    from edge.audio.source import Gap as Gap
    from edge.config import Config as Config
    from edge.errors import EdgeError as EdgeError
    from edge.errors import UsageError as UsageError
    from edge.features.mfcc import FrontEnd as FrontEnd
    from edge.features.mfcc import mfcc as mfcc
    from edge.features.stream import MfccStream as MfccStream
    from edge.listener import Listener as Listener
    from edge.model.card import CardError as CardError
    from edge.model.load import load_model as load_model
    from edge.model.model import Model as Model

_MODULES = {
    "edge.answer": ("STATES", "Answer"),
    "edge.api": ("label", "listen"),
    "edge.audio.open": ("DEMO_CLIP", "open_audio"),
    "edge.audio.source": ("AudioSource", "Gap"),
    "edge.config": ("Config",),
    "edge.errors": ("EdgeError", "UsageError"),
    "edge.features.mfcc": ("FrontEnd", "mfcc"),
    "edge.features.stream": ("MfccStream",),
    "edge.listener": ("Listener",),
    "edge.model.card": ("CardError",),
    "edge.model.load": ("load_model",),
    "edge.model.model": ("Model",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("edge.version").version()
    if name not in _HOMES:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
