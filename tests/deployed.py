"""Helpers for tests of the deployment: a machine to deploy to, and a small wheel."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
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
# Stands for systemctl. The state of the service is kept in files of the folder $FAKE_SYSTEMD; a release with a file
# `silent` in its folder gives no answer.
SYSTEMCTL = """\
#!/bin/sh
cd "$FAKE_SYSTEMD"
[ "$1" != --quiet ] || shift
case $1 in
show)
    if [ -e replies/1 ]; then
        cat replies/1
        rm replies/1
        exit
    fi
    printf 'ActiveState=active\\nMainPID=%s\\nNRestarts=0\\nStatusText=jazz 91%%\\n' "$(cat pid)"
    echo ExecMainStartTimestampMonotonic=0
    ;;
restart|reload)
    echo "$1 $(readlink "$CURRENT")" >> calls
    [ "$1" = reload ] || echo $(($(cat pid) + 1)) > pid
    state=music
    [ ! -e "$CURRENT/silent" ] || state=lost
    digest=$(sha256sum < "$CURRENT/model" | cut -d ' ' -f 1)
    printf '{"state": "%s", "model_sha256": "%s"}\\n' "$state" "$digest" > "$STATUS"
    ;;
disable)
    echo disable >> calls
    ;;
esac
"""


@dataclass
class FakeSystemd:
    """The stand-in for systemctl: what it was asked for, and what it says."""

    folder: Path

    @property
    def calls(self) -> list[str]:
        """Each restart and reload with the link to the release of that time."""
        return (self.folder / "calls").read_text().splitlines()

    def reply_once(self, text: str) -> None:
        """Let the next `systemctl show` print this."""
        (self.folder / "replies").mkdir(exist_ok=True)
        (self.folder / "replies/1").write_text(text)


def target(**changes: object) -> Target:
    """Return a Raspberry Pi 4 with a microphone and Raspberry Pi OS Bookworm, with changes."""
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
        "foreign_install": False,
        "release": None,
        "config": None,
        "unit": None,
    }
    return Target(**{**pi, **changes})  # type: ignore[arg-type]


def wheel(
    folder: Path,
    files: Mapping[str, bytes] | None = None,
    name: str = "edge_listen-1.0",
    requires: str = "",
    tag: str = "py3-none-any",
) -> Path:
    """Write a wheel with a model and these files; `requires` holds lines of its METADATA."""
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
