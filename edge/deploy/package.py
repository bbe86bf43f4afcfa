"""The wheel of this package: a deployment installs what runs here."""

import base64
import email
import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from edge.errors import EdgeError
from edge.subprocess_error import failure_reason

NAME = "edge-listen"
CHECKOUT = Path(__file__).parents[2]
ANY_PYTHON = "py3-none-any"
# Files that an installer writes beside those of the wheel.
INSTALLERS = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def own_wheel(folder: Path) -> Path:
    """Write the wheel of this package into a folder.

    It is built from the checkout that this runs in, or packed again from the installed files. Raises EdgeError if
    neither is possible.
    """
    if (CHECKOUT / "pyproject.toml").exists():
        return _built(folder)
    try:
        return _packed(importlib.metadata.distribution(NAME), folder)
    except importlib.metadata.PackageNotFoundError:
        raise EdgeError(f"{NAME} is neither installed nor a checkout here: pass --wheel FILE") from None


def digest(wheel: Path) -> str:
    """SHA-256 of the files that a wheel installs, however it was packed. Raises EdgeError if it is not a wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = sorted(n for n in archive.namelist() if not n.endswith(("/", "/RECORD", "/WHEEL")))
            contents = (f"{name}\0{hashlib.sha256(archive.read(name)).hexdigest()}\n" for name in names)
            return hashlib.sha256("".join(contents).encode()).hexdigest()
    except (OSError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise EdgeError(f"{wheel}: not a wheel: {error}") from None


def metadata(wheel: Path) -> "email.message.Message":
    """METADATA of a wheel. Raises EdgeError if it has none."""
    name = "-".join(wheel.name.split("-")[:2])
    return email.message_from_bytes(member(wheel, f"{name}.dist-info/METADATA"))


def member(wheel: Path, name: str) -> bytes:
    """Content of a file in a wheel. Raises EdgeError if it has none of this name."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(name)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise EdgeError(f"{wheel}: not a wheel: {error}") from None


def _built(folder: Path) -> Path:
    """Build a copy of the sources: a build leaves folders behind, and packs those that the last one left."""
    source = folder / "source"
    _copy_sources(CHECKOUT, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EdgeError(f"{CHECKOUT}: pip cannot build the wheel: {failure_reason(done, 'pip')}")
    return next(folder.glob("*.whl"))


def _copy_sources(checkout: Path, source: Path) -> None:
    """Copy what a wheel is built from: the packages and the files that pyproject.toml names."""
    pyproject = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    project, names = pyproject["project"], pyproject["tool"]["setuptools"]["packages"]["find"]["include"]
    for top in sorted({name.partition(".")[0] for name in names}):
        shutil.copytree(checkout / top, source / top, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", project["readme"], *project["license-files"]):
        shutil.copy(checkout / name, source)


def _packed(distribution: importlib.metadata.Distribution, folder: Path) -> Path:
    """Pack the installed files into a wheel (packaging.python.org/specifications/binary-distribution-format)."""
    wheel = folder / f"{NAME.replace('-', '_')}-{distribution.version}-{ANY_PYTHON}.whl"
    record = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in distribution.files or ():
            if file.parts[0] == ".." or "__pycache__" in file.parts:
                continue  # commands, which an installer makes from entry_points.txt
            if file.parts[0].endswith(".dist-info") and file.name in INSTALLERS:
                continue
            content = Path(str(file.locate())).read_bytes()
            code = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{file},sha256={code},{len(content)}")
            archive.writestr(str(file), content)
        name = f"{wheel.name.removesuffix(f'-{ANY_PYTHON}.whl')}.dist-info/RECORD"
        archive.writestr(name, "\n".join([*record, f"{name},,", ""]))
    return wheel
