"""What can be set: the one home of every option's default, and the reader of the configuration file (TOML).

The keys are the long options of the command line, without their dashes; what has no option is in the three tables.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import HOP_SECONDS
from edge.errors import UsageError
from edge.fields import build

MOST_THREADS = 64  # a runtime would start a million as well


@dataclass(frozen=True)
class Mqtt:
    """The table [mqtt]: which broker is told, and under which name."""

    host: str
    port: int | None = None  # 8883 with TLS, 1883 without
    name: str | None = None  # of this device in topics and in Home Assistant; the host's name unless told
    topic: str = "edge-listen"  # topics are TOPIC/NAME/…
    discovery: str = "homeassistant"  # Home Assistant's discovery prefix; "" announces nothing
    username: str | None = None
    password_file: str | None = None  # else the variable EDGE_LISTEN_MQTT_PASSWORD
    tls: bool = False
    ca_file: str | None = None  # certificates to trust instead of the system's

    def __post_init__(self) -> None:
        _at_least("port", self.port, 1, 65_535)
        if not self.host:
            raise ValueError("host is empty")
        for name, empty in (("name", False), ("topic", False), ("discovery", True)):
            value = getattr(self, name)
            if value is not None and (not (value or empty) or set("+#") & set(value)):
                raise ValueError(f"{name} {value!r}: can't be part of an MQTT topic")


@dataclass(frozen=True)
class Prometheus:
    """The table [prometheus]: where metrics can be fetched."""

    port: int = 9753
    address: str = "127.0.0.1"  # whoever reaches it can read it

    def __post_init__(self) -> None:
        _at_least("port", self.port, 1, 65_535)


@dataclass(frozen=True)
class History:
    """The table [history]: the SQLite file that keeps what was heard."""

    file: str


@dataclass(frozen=True)
class Config:
    """All that edge-listen can be told. Raise ValueError for numbers that can't be."""

    device: str | None = None
    channel: int | None = None
    wait: bool = False
    model: str | None = None
    hop: float = HOP_SECONDS
    threads: int = 1
    raw: bool = False
    json: bool = False
    top_k: int = 3
    duration: float | None = None
    rate: int = 48_000  # of raw PCM, as the next two; edge.sources knows what it takes
    channels: int = 1
    bits: int = 16
    mqtt: Mqtt | None = None
    prometheus: Prometheus | None = None
    history: History | None = None

    def __post_init__(self) -> None:
        for name in ("channel", "top_k"):
            _at_least(name, getattr(self, name), 1)
        _at_least("threads", self.threads, 1, MOST_THREADS)
        if self.duration is not None and not self.duration > 0:
            raise ValueError(f"duration {self.duration:g}: has to be above 0")
        if self.bits not in (16, 32):
            raise ValueError(f"bits {self.bits}: has to be 16 or 32")


def read(path: Path | None) -> dict[str, Any]:
    """The keys of a configuration file, {} without one. Raise UsageError for one that can't be read or understood."""
    if path is None:
        return {}
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: {error}") from None


def parse(text: str, where: str) -> dict[str, Any]:
    """The keys of a configuration; `where` names it. Raise UsageError for one that can't be understood."""
    try:
        fields = tomllib.loads(text)
        build(Config, fields, "", defaults=True)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        raise UsageError(f"{where}: {error}") from None
    return fields


def configured(path: Path | None, words: dict[str, Any]) -> Config:
    """The options in `words` (keys as in the file) over those of the file over the defaults. Raise UsageError."""
    fields = read(path)
    for key, value in words.items():
        fields[key] = {**fields.get(key, {}), **value} if isinstance(value, dict) else value
    try:
        return build(Config, fields, "", defaults=True)
    except ValueError as error:
        raise UsageError(f"--{error}") from None


def _at_least(name: str, value: int | None, least: int, most: int | None = None) -> None:
    if value is not None and not (least <= value and (most is None or value <= most)):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name.replace('_', '-')} {value}: has to be {bounds}")
