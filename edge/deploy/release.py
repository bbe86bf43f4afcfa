"""A release (program, model, configuration), the request for one, and the differences between two."""

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

from edge.config import parse_config
from edge.deploy import layout
from edge.deploy.package import digest, member, metadata
from edge.deploy.target import Target
from edge.errors import EdgeError

EXTRAS = frozenset({"mqtt", "prometheus"})  # small, and the configuration may turn them on later
UNIT = Path(__file__).parents[1] / "data" / "edge-listen.service"
SHIPPED = "edge/data/model.tflite"  # the model in the program, as a wheel holds it
FIRST_CONFIG = """\
# Any long option of edge-listen can be set here, without its dashes; see edge/README.md.
"""


# A release is a folder there: its version (PEP 440) and a time. Nothing that a shell, sed or a glob could interpret.
RELEASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]*")


@dataclass(frozen=True)
class Release:
    """Record of a deployed release; its fields are the keys of release.json, which later versions read."""

    name: str
    version: str
    wheel: str  # digest of the installed files
    requires: str  # digest of the requirements and of the Python version
    extras: list[str]
    model: str  # SHA-256 of the file
    model_name: str | None  # name of the file; None for the model in the program
    unit: str  # digest
    config: str  # digest, as deployed
    deployed: str  # time, UTC
    before: str | None  # name of the release that it replaced

    def __post_init__(self) -> None:
        for name in (self.name, self.before):
            if name is not None and not RELEASE_NAME.fullmatch(name):
                raise EdgeError(f"invalid name of a release: {name!r}")

    def to_json(self) -> str:
        """Text of release.json."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


@dataclass(frozen=True)
class DeployRequest:
    """Arguments of a deployment, the same for every machine."""

    wheel: Path
    device: str | None = None
    model: Path | None = None
    config: str | None = None  # text of the whole configuration

    def config_on(self, target: Target) -> str:
        """Existing configuration of a machine with the requested changes. Raises EdgeError if it is invalid."""
        text = self.config if self.config is not None else (target.config or FIRST_CONFIG).rstrip() + "\n"
        existing = parse_config(text, layout.CONFIG)
        if self.device is not None and existing.get("device") != self.device:
            text = with_key(text, "device", self.device)
        if (self.model is not None or "model" not in existing) and existing.get("model") != layout.MODEL:
            text = with_key(text, "model", layout.MODEL)
        parse_config(text, layout.CONFIG)
        return text

    def release_on(self, target: Target) -> Release:
        """Release for a machine, under a new name."""
        present = current_release(target)
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


def current_release(target: Target) -> Release | None:
    """Release that runs on a machine."""
    return None if target.release is None else parse_record(target.release)


def parse_record(fields: dict[str, Any]) -> Release:
    """Release from the fields of release.json. Raises EdgeError if they are those of an incompatible version."""
    try:
        return Release(**fields)
    except TypeError:
        raise EdgeError(
            f"{layout.RELEASES}: incompatible record of a release: run edge-deploy --remove first"
        ) from None


def changes(present: Release | None, new: Release, target: Target) -> list[str]:
    """Names of the parts in which a new release differs; an empty list if there is nothing to deploy."""
    if present is None:
        return ["first deployment"]
    differs = {
        "program": present.wheel != new.wheel,
        "requirements": (present.requires, present.extras) != (new.requires, new.extras),
        "model": present.model != new.model,
        "configuration": {_digest((target.config or "").encode()), present.config} != {new.config},
        "unit": _digest((target.unit or "").encode()) != new.unit,
    }
    return [part for part, changed in differs.items() if changed]


def only_the_model_differs(one: Release, other: Release) -> bool:
    """True if a running service can change from one release to the other by a reload of the model."""
    may_differ = ("name", "model", "model_name", "deployed", "before")
    as_other = dataclasses.replace(one, **{name: getattr(other, name) for name in may_differ})
    return one.model != other.model and as_other == other


def with_key(text: str, key: str, value: str) -> str:
    """TOML text with a top-level key set to a string. Raises EdgeError if the text cannot be edited safely."""
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
    raise EdgeError(f"{layout.CONFIG}: cannot edit this file safely, add the line by hand: {line}")


def _without(fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != key}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
