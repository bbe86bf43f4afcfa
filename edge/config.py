"""Settings of edge-listen with their defaults and bounds, and the reader of the configuration file (TOML).

Keys are the long options of the command line without their dashes; settings without an option are in the three tables.
"""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import UsageError
from edge.strict_dataclass import build

HOP_SECONDS = 0.5  # time between answers
MAX_HOP_SECONDS = 60.0
MAX_THREADS = 64  # a runtime would start a million as well
RATES = (1000, 768_000)  # Hz, lowest and highest: at 1 Hz a small file would be a year of audio
MAX_CHANNELS = 1024  # as in libsndfile
SAMPLE_BITS = (16, 32)  # of raw PCM


@dataclass(frozen=True)
class Mqtt:
    """The table [mqtt]: the broker, and the names used there."""

    host: str
    port: int | None = None  # 8883 with TLS, 1883 without
    name: str | None = None  # of this device in topics and in Home Assistant; by default the host's name
    topic: str = "edge-listen"  # topics are TOPIC/NAME/…
    discovery: str = "homeassistant"  # prefix of Home Assistant's discovery topics; "" disables discovery
    username: str | None = None
    password_file: str | None = None  # otherwise the variable EDGE_LISTEN_MQTT_PASSWORD
    tls: bool = False
    ca_file: str | None = None  # certificates to trust instead of the system's

    def __post_init__(self) -> None:
        _check_range("port", self.port, 1, 65_535)
        if not self.host:
            raise ValueError("host is empty")
        for name, may_be_empty in (("name", False), ("topic", False), ("discovery", True)):
            value = getattr(self, name)
            if value is not None and (not (value or may_be_empty) or set("+#") & set(value)):
                raise ValueError(f"{name} {value!r}: can't be part of an MQTT topic")


@dataclass(frozen=True)
class Prometheus:
    """The table [prometheus]: the address that serves metrics."""

    port: int = 9753
    address: str = "127.0.0.1"  # everyone who can reach it can read the metrics

    def __post_init__(self) -> None:
        _check_range("port", self.port, 1, 65_535)


@dataclass(frozen=True)
class History:
    """The table [history]: the SQLite file of what was heard."""

    file: str


@dataclass(frozen=True)
class Config:
    """Validated settings of edge-listen. Raises ValueError if a value is out of range.

    Attributes
    ----------
    device, channel, wait
        Microphone: its name or address (None: the default one), its channel from 1 (None: the mean of the first two),
        and whether to wait for one that is not there yet.
    model, threads
        Model file (None: the one that comes with the package), and threads of its runtime.
    hop
        Seconds between answers.
    raw
        Show the model's own output without smoothing and thresholds.
    json, top_k
        Format of standard output, and number of labels in it.
    duration
        Seconds after which to stop; None for never.
    rate, channels, bits
        Of raw PCM: Hz, number of interleaved channels, bits per sample.
    mqtt, prometheus, history
        Tables of the outputs; None disables an output.
    """

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
    rate: int = 48_000
    channels: int = 1
    bits: int = 16
    mqtt: Mqtt | None = None
    prometheus: Prometheus | None = None
    history: History | None = None

    def __post_init__(self) -> None:
        _check_range("channel", self.channel, 1, MAX_CHANNELS)
        _check_range("top_k", self.top_k, 1)
        _check_range("threads", self.threads, 1, MAX_THREADS)
        _check_range("rate", self.rate, *RATES)
        _check_range("channels", self.channels, 1, MAX_CHANNELS)
        if not 0 < self.hop <= MAX_HOP_SECONDS:  # the model has a lower bound, too: edge.listener.check_hop
            raise ValueError(f"hop {self.hop:g}: must be above 0 and at most {MAX_HOP_SECONDS:g} s")
        if self.duration is not None and not 0 < self.duration < math.inf:
            raise ValueError(f"duration {self.duration:g}: must be above 0 s")
        if self.bits not in SAMPLE_BITS:
            raise ValueError(f"bits {self.bits}: must be {' or '.join(map(str, SAMPLE_BITS))}")


def read_config(path: Path | None) -> dict[str, Any]:
    """Read the keys of a configuration file, {} without one. Raise UsageError if it can't be read or is invalid."""
    if path is None:
        return {}
    try:
        return parse_config(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: {error}") from None


def parse_config(text: str, where: str) -> dict[str, Any]:
    """Parse the keys of a configuration; `where` names it in errors. Raise UsageError if it is invalid."""
    try:
        keys = tomllib.loads(text)
        build(Config, keys, "", defaults=True)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        raise UsageError(f"{where}: {error}") from None
    return keys


def load_config(path: Path | None, options: dict[str, Any]) -> Config:
    """Combine the options of the command line, a configuration file and the defaults, in this order of precedence.

    Parameters
    ----------
    path
        The configuration file, if any.
    options
        Keys as in the file.

    Raises
    ------
    UsageError
        If the file can't be read, or a value is invalid.
    """
    keys = read_config(path)
    for key, value in options.items():
        keys[key] = {**keys.get(key, {}), **value} if isinstance(value, dict) else value
    try:
        return build(Config, keys, "", defaults=True)
    except ValueError as error:
        raise UsageError(f"--{error}") from None


def _check_range(name: str, value: int | None, least: int, most: int | None = None) -> None:
    if value is not None and not (least <= value and (most is None or value <= most)):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name.replace('_', '-')} {value}: must be {bounds}")
