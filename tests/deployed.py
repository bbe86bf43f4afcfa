"""What tests of the deployment share: a machine that could be deployed to, and a wheel of very little."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from edge.deploy.target import Target

MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.2",
    "os_name": "posix",
    "platform_machine": "aarch64",
    "platform_python_implementation": "CPython",
    "platform_release": "6.6",
    "platform_system": "Linux",
    "platform_version": "#1",
    "python_full_version": "3.11.2",
    "python_version": "3.11",
    "sys_platform": "linux",
}


def target(**told: object) -> Target:
    """A Raspberry Pi 4 with a microphone and Raspberry Pi OS Bookworm, but for what is told."""
    pi = {
        "board": "Raspberry Pi 4 Model B Rev 1.4",
        "system": "Debian GNU/Linux 12 (bookworm)",
        "markers": MARKERS,
        "bits": 64,
        "glibc": "2.36",
        "folder": "/home/pi/.cache/edge-deploy",
        "sudo": "free",
        "systemd": True,
        "apt": True,
        "portaudio": True,
        "venv": True,
        "free_bytes": 20 << 30,
        "memory_bytes": 4 << 30,
        "free_memory_bytes": 3 << 30,
        "temperature_c": 48.2,
        "cards": ["hw:1 USB Audio (usb:046d:0825)"],
        "stranger": False,
        "release": None,
        "config": None,
        "unit": None,
    }
    return Target(**{**pi, **told})  # type: ignore[arg-type]


def wheel(
    folder: Path,
    files: Mapping[str, bytes] | None = None,
    name: str = "edge_listen-1.0",
    requires: str = "",
    tag: str = "py3-none-any",
) -> Path:
    """A wheel with a model and these files; `requires` are lines of its METADATA."""
    path = folder / f"{name}-{tag}.whl"
    folder.mkdir(exist_ok=True)
    project, version = name.split("-")
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n{requires}"
    inside = {"edge/data/model.tflite": b"model", f"{name}.dist-info/METADATA": metadata.encode(), **(files or {})}
    tags = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
    inside[f"{name}.dist-info/WHEEL"] = tags.encode()
    inside[f"{name}.dist-info/RECORD"] = "".join(f"{each},,\n" for each in inside).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in inside.items():
            archive.writestr(each, content)
    return path
