"""What runs on a target first, by its own Python through standard input, and prints what it is as JSON.

It needs nothing but a Python of the last ten years: whether that one will do is for edge.deploy.target to say.
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
    """A file's text without the zero byte of the device tree; None where there is none or it can't be read."""
    try:
        return path.read_bytes().decode(errors="replace").rstrip("\0")
    except OSError:
        return None


def fields(path: Path, separator: str) -> "dict[str, str]":
    """A file of lines `key SEPARATOR value`."""
    lines = (text(path) or "").splitlines()
    return {key.strip(): value.strip(" \"'") for key, _, value in (line.partition(separator) for line in lines)}


def cards() -> "list[str]":
    """Sound cards that record, as `hw:NUMBER name (what stays true of it)`."""
    found = []
    for card in sorted(Path("/proc/asound").glob("card[0-9]*")):
        if any(card.glob("pcm*c")):
            stream = (text(card / "stream0") or "a sound card").splitlines()[0].partition(" at ")[0]
            usb = text(card / "usbid")
            stays = ("usb:" + usb if usb else text(card / "id") or "?").strip()
            found.append("hw:{} {} ({})".format(card.name[len("card") :], stream, stays))
    return found


def sudo() -> str:
    """How this user becomes root: not at all, by a password, without, or is it."""
    if os.geteuid() == 0:
        return "root"
    if not shutil.which("sudo"):
        return "none"
    tried = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return "password" if tried.returncode else "free"


def markers() -> "dict[str, str]":
    """What the markers of requirements may ask (PEP 508)."""
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
    """Print it."""
    current = HOME / "current"
    release = fields(Path("/etc/os-release"), "=")
    memory = {key: int(value.split()[0]) * 1024 for key, value in fields(Path("/proc/meminfo"), ":").items() if value}
    thermal = text(Path("/sys/class/thermal/thermal_zone0/temp"))
    user = pwd.getpwuid(os.geteuid())
    told = {
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
        "stranger": current.is_dir() and not current.is_symlink(),
        "release": json.loads(text(current / "share/edge-listen/release.json") or "null"),
        "config": text(Path("/etc/edge-listen.toml")),
        "unit": text(Path("/etc/systemd/system/edge-listen.service")),
    }
    json.dump(told, sys.stdout)


main()
