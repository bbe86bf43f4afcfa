"""The wheel and its answers in 32-bit Debian bookworm, on which 32-bit Raspberry Pi OS is based.

PyPI has no wheels of numpy, cffi and soxr for it: the first two come from Debian, the third is built once.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from machine import PIS_32, TREES, Machine
from userland import PYTHON, done, installed, lend, runs_and_answers_as_here, with_wheel

from edge.deploy.target import PROBE, Target, blockers

pytestmark = [pytest.mark.emulated, pytest.mark.root]

SYSTEM = ("python3-venv", "python3-numpy", "python3-cffi", "libsndfile1", "libportaudio2")
COMPILER = ("g++", "python3-dev")
# Reports a 64-bit kernel to a 32-bit process, as Raspberry Pi OS does on a Pi 4, whose default kernel has 64 bits.
UNAME = """
#define _GNU_SOURCE
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
int uname(struct utsname *name) {
    int failed = syscall(SYS_uname, name);
    if (!failed) strcpy(name->machine, MACHINE);
    return failed;
}
"""


@pytest.fixture(scope="module", params=PIS_32)
def pi(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A tree with the wheel, installed as edge/deploy/README.md describes."""
    folder, packages = tmp_path_factory.mktemp(request.param), [*SYSTEM, *COMPILER]
    with with_wheel(TREES / request.param, folder, packages, venv=["--system-site-packages"]) as machine:
        yield machine


def test_debian_and_pypi_have_everything_but_soxr(pi: Machine) -> None:
    versions = installed(pi)
    assert versions["numpy"].startswith("1.24.")
    assert {"edge-listen", "cffi", "tflite-runtime", "sounddevice", "soundfile", "soxr", "tqdm"} <= versions.keys()


def test_it_runs_and_answers_as_on_this_machine(pi: Machine) -> None:
    runs_and_answers_as_here(pi, "tflite_runtime")


@pytest.mark.parametrize(
    ("kernel", "refused"),
    [
        ("armv7l", False),
        ("aarch64", False),
        ("armv8l", False),  # under `linux32`
        ("armv6l", True),  # Pi 1, Zero, Zero W
    ],
)
def test_the_bits_are_those_of_python_not_of_the_kernel(
    pi: Machine, kernel: str, refused: bool, tmp_path: Path
) -> None:
    (source := tmp_path / "uname.c").write_text(UNAME)
    done(pi, "gcc", "-shared", "-fPIC", f'-DMACHINE="{kernel}"', "-o", "/uname.so", lend(pi, source))
    target = Target(**json.loads(done(pi, "env", "LD_PRELOAD=/uname.so", PYTHON, lend(pi, PROBE))))
    assert (target.bits, target.markers["platform_machine"]) == (32, kernel)
    reasons = [reason for reason in blockers(target, offline=False) if "systemd is not running" not in reason]
    assert bool(reasons) == refused
    assert any("32-bit wheels" in reason for reason in blockers(target, offline=True))
