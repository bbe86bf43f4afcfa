"""Facts about a machine as JSON on standard output; its own Python runs this file from standard input.

It needs nothing but a Python of the last ten years; edge.deploy.target decides whether that one is new enough.
"""

import ctypes.util
import importlib.util
import json
import os
import platform
import pwd
import shutil
import struct
import subprocess
import sys
from pathlib import Path

HOME = Path("/opt/edge-listen")


def text(path: Path) -> "str | None":
    """Text of a file, without the zero byte of the device tree; None if it can't be read."""
    try:
        return path.read_bytes().decode(errors="replace").rstrip("\0")
    except OSError:
        return None


def fields(path: Path, separator: str) -> "dict[str, str]":
    """Keys and values of a file of lines `key SEPARATOR value`."""
    lines = (text(path) or "").splitlines()
    return {key.strip(): value.strip(" \"'") for key, _, value in (line.partition(separator) for line in lines)}


def cards() -> "list[str]":
    """Sound cards that can record, as `hw:NUMBER name (identifier that survives a reboot)`."""
    lines = []
    for card in sorted(Path("/proc/asound").glob("card[0-9]*")):
        if any(card.glob("pcm*c")):
            stream = (text(card / "stream0") or "a sound card").splitlines()[0].partition(" at ")[0]
            usb = text(card / "usbid")
            stable = ("usb:" + usb if usb else text(card / "id") or "?").strip()
            lines.append("hw:{} {} ({})".format(card.name[len("card") :], stream, stable))
    return lines


def sudo() -> str:
    """Means by which this user becomes root: none, sudo with a password, sudo freely, or being root."""
    if os.geteuid() == 0:
        return "root"
    if not shutil.which("sudo"):
        return "none"
    done = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return "password" if done.returncode else "free"


def markers() -> "dict[str, str]":
    """Variables of environment markers (PEP 508)."""
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": platform.python_version(),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": "{}.{}".format(*sys.version_info[:2]),
        "sys_platform": sys.platform,
    }


def main() -> None:
    """Print the facts."""
    current = HOME / "current"
    release = fields(Path("/etc/os-release"), "=")
    memory = {key: int(value.split()[0]) * 1024 for key, value in fields(Path("/proc/meminfo"), ":").items() if value}
    thermal = text(Path("/sys/class/thermal/thermal_zone0/temp"))
    user = pwd.getpwuid(os.geteuid())
    facts = {
        "board": text(Path("/proc/device-tree/model")),
        "system": release.get("PRETTY_NAME", platform.system()),
        "markers": markers(),
        "bits": struct.calcsize("P") * 8,
        "glibc": platform.libc_ver()[1] if platform.libc_ver()[0] == "glibc" else "",
        "folder": user.pw_dir + "/.cache/edge-deploy",
        "sudo": sudo(),
        "systemd": Path("/run/systemd/system").is_dir(),
        "apt": shutil.which("apt-get") is not None,
        "portaudio": ctypes.util.find_library("portaudio") is not None,
        "venv": importlib.util.find_spec("ensurepip") is not None,
        "free_bytes": shutil.disk_usage(str(HOME if HOME.exists() else HOME.parent)).free,
        "memory_bytes": memory.get("MemTotal", 0),
        "free_memory_bytes": memory.get("MemAvailable", 0),
        "temperature_c": float(thermal) / 1000 if thermal else None,
        "cards": cards(),
        "foreign_install": current.is_dir() and not current.is_symlink(),
        "release": json.loads(text(current / "share/edge-listen/release.json") or "null"),
        "config": text(Path("/etc/edge-listen.toml")),
        "unit": text(Path("/etc/systemd/system/edge-listen.service")),
    }
    json.dump(facts, sys.stdout)


main()
