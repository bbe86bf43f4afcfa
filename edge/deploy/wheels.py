"""Download every wheel that another machine needs: for one without internet, or of another architecture."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement

from edge.deploy.package import metadata
from edge.errors import EdgeError

OLDEST_GLIBC_MINOR = 17  # of manylinux2014
MAX_ROUNDS = 20  # each finds the requirements of the wheels of the round before


def fetch(wheel: Path, extras: frozenset[str], markers: Mapping[str, str], glibc: str, folder: Path) -> list[Path]:
    """Download the requirements of a wheel for another machine.

    pip evaluates the markers of requirements for the machine that it runs on, so it is given one round of requirements
    after the other, until a round adds none.

    Parameters
    ----------
    wheel : Path
        Wheel whose requirements are downloaded.
    extras : frozenset of str
        Extras to include.
    markers : mapping of str to str
        Environment markers of the machine (PEP 508).
    glibc : str
        Version of its C library.
    folder : Path
        Destination; its content is replaced.

    Returns
    -------
    list of Path
        The downloaded wheels.

    Raises
    ------
    EdgeError
        If a wheel is not available.
    """
    requirements = {str(r) for r in needs(wheel, extras, markers)}
    for _ in range(MAX_ROUNDS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        download(sorted(requirements), markers, glibc, folder)
        downloaded = sorted(folder.glob("*.whl"))
        extras_of = {_key(r.name): r.extras for r in map(Requirement, requirements)}
        more = {
            str(r)
            for each in downloaded
            for r in needs(each, frozenset(extras_of.get(_key(each.name.split("-")[0]), ())), markers)
        }
        if more <= requirements:
            return downloaded
        requirements |= more
    raise EdgeError(f"{wheel}: still new requirements after {MAX_ROUNDS} rounds")


def needs(wheel: Path, extras: frozenset[str], markers: Mapping[str, str]) -> Iterator[Requirement]:
    """Yield the requirements of a wheel on a machine, without the markers that selected them."""
    for line in metadata(wheel).get_all("Requires-Dist") or ():
        requirement = Requirement(line)
        marker, requirement.marker = requirement.marker, None
        if marker is None or any(marker.evaluate({**markers, "extra": extra}) for extra in {"", *extras}):
            yield requirement


def download(requirements: list[str], markers: Mapping[str, str], glibc: str, folder: Path) -> None:
    """Let pip download one wheel per requirement. Raises EdgeError with the last error of pip."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    done = subprocess.run(
        [*pip, *pip_target(markers, glibc), *requirements], capture_output=True, text=True, check=False
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")] or [done.stderr.strip()]
        raise EdgeError(f"cannot download every wheel: {errors[-1].removeprefix('ERROR: ')}")


def pip_target(markers: Mapping[str, str], glibc: str) -> list[str]:
    """Options with which pip selects the wheels of another machine."""
    platforms = (f"--platform={name}" for name in platform_tags(markers["platform_machine"], glibc))
    return ["--only-binary=:all:", f"--python-version={markers['python_version']}", *platforms]


def platform_tags(machine: str, glibc: str) -> Iterator[str]:
    """Yield the platform tags that a machine accepts, best first (PEP 600)."""
    newest = int(glibc.split(".")[1])
    yield from (f"manylinux_2_{minor}_{machine}" for minor in range(newest, OLDEST_GLIBC_MINOR - 1, -1))
    yield f"manylinux2014_{machine}"
    yield f"linux_{machine}"


def _key(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")
