"""Every wheel that a machine needs, fetched by this one: for a machine without internet, or of another kind."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement

from edge.deploy.package import metadata
from edge.errors import EdgeError

OLDEST_GLIBC_MINOR = 17  # of manylinux2014
MOST_ROUNDS = 20  # each finds what the wheels of the one before need


def fetch(wheel: Path, extras: frozenset[str], markers: Mapping[str, str], glibc: str, folder: Path) -> list[Path]:
    """Fetch what a wheel with these extras needs on the machine of which `markers` tells (PEP 508), into a folder.

    pip would answer the markers of requirements for the machine that it runs on, so it is given one round of
    requirements after the other, until nothing new comes up. Raise EdgeError where a wheel can't be had.
    """
    wanted = {str(r) for r in needs(wheel, extras, markers)}
    for _ in range(MOST_ROUNDS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        download(sorted(wanted), markers, glibc, folder)
        found = sorted(folder.glob("*.whl"))
        asked = {_key(r.name): r.extras for r in map(Requirement, wanted)}
        more = {
            str(r)
            for each in found
            for r in needs(each, frozenset(asked.get(_key(each.name.split("-")[0]), ())), markers)
        }
        if more <= wanted:
            return found
        wanted |= more
    raise EdgeError(f"{wheel}: its requirements have no end")


def needs(wheel: Path, extras: frozenset[str], markers: Mapping[str, str]) -> Iterator[Requirement]:
    """What it requires there, without the markers that said so."""
    for line in metadata(wheel).get_all("Requires-Dist") or ():
        requirement = Requirement(line)
        marker, requirement.marker = requirement.marker, None
        if marker is None or any(marker.evaluate({**markers, "extra": extra}) for extra in {"", *extras}):
            yield requirement


def download(requirements: list[str], markers: Mapping[str, str], glibc: str, folder: Path) -> None:
    """Let pip choose and fetch one wheel for each requirement. Raise EdgeError, in its words, if it can't."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    words = [*pip, *pip_target(markers, glibc), *requirements]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")] or [done.stderr.strip()]
        raise EdgeError(f"not every wheel can be had: {said[-1].removeprefix('ERROR: ')}")


def pip_target(markers: Mapping[str, str], glibc: str) -> list[str]:
    """The words that let pip take the wheels of another machine."""
    platforms = (f"--platform={name}" for name in platform_tags(markers["platform_machine"], glibc))
    return ["--only-binary=:all:", f"--python-version={markers['python_version']}", *platforms]


def platform_tags(machine: str, glibc: str) -> Iterator[str]:
    """The platforms whose wheels it takes, the best ones first (PEP 600)."""
    newest = int(glibc.split(".")[1])
    yield from (f"manylinux_2_{minor}_{machine}" for minor in range(newest, OLDEST_GLIBC_MINOR - 1, -1))
    yield f"manylinux2014_{machine}"
    yield f"linux_{machine}"


def _key(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")
