"""What shall be on a machine, as one release: the program, the model, the configuration. And what of it already is."""

import dataclasses
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.config import parse
from edge.deploy import layout
from edge.deploy.package import digest, member, metadata
from edge.deploy.target import Target
from edge.errors import EdgeError

EXTRAS = frozenset({"mqtt", "prometheus"})  # small, and then the configuration may be edited as one likes
UNIT = Path(__file__).parents[1] / "data" / "edge-listen.service"
SHIPPED = "edge/data/model.tflite"
FIRST_CONFIG = """\
# Any long option of edge-listen can stand here, without its dashes: README, "All day, as a service".
"""


@dataclass(frozen=True)
class Release:
    """What was deployed, as the record in its folder says."""

    name: str
    version: str
    wheel: str  # digest of what it installs
    requires: str  # digest of what it needs, and of the Python that it was installed for
    extras: list[str]
    model: str  # SHA-256 of its file
    model_name: str | None  # of its file; None for the one that comes with the program
    unit: str  # digest
    config: str  # digest, as it was deployed
    deployed: str  # when, UTC
    before: str | None  # the release that it took the place of

    def to_json(self) -> str:
        """The record."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


@dataclass(frozen=True)
class Wanted:
    """What the words of the command ask for, on whatever machine."""

    wheel: Path
    device: str | None = None
    model: Path | None = None
    config: str | None = None  # the text of one to put there

    def config_on(self, target: Target) -> str:
        """The configuration that shall be there: as it is but for what was asked. Raise EdgeError where it can't be."""
        text = self.config if self.config is not None else (target.config or FIRST_CONFIG).rstrip() + "\n"
        there = parse(text, layout.CONFIG)
        if self.device is not None and there.get("device") != self.device:
            text = with_key(text, "device", self.device)
        if (self.model is not None or "model" not in there) and there.get("model") != layout.MODEL:
            text = with_key(text, "model", layout.MODEL)
        parse(text, layout.CONFIG)
        return text

    def on(self, target: Target) -> Release:
        """The release that shall be there, under a name that none there has."""
        present = release_of(target)
        if self.model is not None:
            model, model_name = _digest(self.model.read_bytes()), self.model.name
        elif present and present.model_name:
            model, model_name = present.model, present.model_name
        else:
            model, model_name = _digest(member(self.wheel, SHIPPED)), None
        onnx = {"onnx"} if model_name and model_name.endswith(".onnx") else set()
        requires = sorted(metadata(self.wheel).get_all("Requires-Dist") or ())
        parts: dict[str, Any] = {
            "version": metadata(self.wheel)["Version"],
            "wheel": digest(self.wheel),
            "requires": _digest("\n".join([target.markers["python_full_version"], *requires]).encode()),
            "extras": sorted(EXTRAS | onnx),
            "model": model,
            "model_name": model_name,
            "unit": _digest(UNIT.read_bytes()),
            "config": _digest(self.config_on(target).encode()),
        }
        now = datetime.now(UTC)
        return Release(
            name=f"{parts['version']}-{now:%Y%m%d-%H%M%S}",
            **parts,
            deployed=now.isoformat(timespec="seconds"),
            before=present.name if present else None,
        )


def release_of(target: Target) -> Release | None:
    """The one that runs there."""
    return None if target.release is None else parse_record(target.release)


def parse_record(fields: dict[str, Any]) -> Release:
    """A release of what its record says. Raise EdgeError for a record of another version of this program."""
    try:
        return Release(**fields)
    except TypeError:
        raise EdgeError(f"{layout.RELEASES}: a record there is none of this version's: --remove it first") from None


def changes(present: Release | None, wanted: Release, target: Target) -> list[str]:
    """What differs, in words; nothing of the service changes where it is empty."""
    if present is None:
        return ["everything is new"]
    differs = {
        "program": present.wheel != wanted.wheel,
        "what it requires": (present.requires, present.extras) != (wanted.requires, wanted.extras),
        "model": present.model != wanted.model,
        "configuration": {_digest((target.config or "").encode()), present.config} != {wanted.config},
        "unit": _digest((target.unit or "").encode()) != wanted.unit,
    }
    return [what for what, so in differs.items() if so]


def only_the_model_differs(one: Release, other: Release) -> bool:
    """Whether a service can go from one release to the other while it hears on."""
    same = ("name", "model", "model_name", "deployed", "before")
    as_other = dataclasses.replace(one, **{name: getattr(other, name) for name in same})
    return one.model != other.model and as_other == other


def with_key(text: str, key: str, value: str) -> str:
    """A TOML text with a key before the first table set to a string. Raise EdgeError where that needs a person."""
    line = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    start = re.search(r"^\s*\[", text, re.MULTILINE)
    head, tables = (text[: start.start()], text[start.start() :]) if start else (text, "")
    new, count = re.subn(rf"^[ \t]*{re.escape(key)}[ \t]*=.*$", lambda _: line, head, count=1, flags=re.MULTILINE)
    if not count:
        new = f"{head.rstrip()}\n{line}\n" + ("\n" if tables else "")
    try:
        if _without(tomllib.loads(new + tables), key) == _without(tomllib.loads(text), key):
            return new.lstrip("\n") + tables
    except tomllib.TOMLDecodeError:
        pass
    raise EdgeError(f"{layout.CONFIG}: write the line by hand: {line}")


def _without(fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != key}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
