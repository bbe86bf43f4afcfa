"""What can't work is refused with every reason, and a machine tells what it is."""

import subprocess
import sys
from pathlib import Path

import pytest
from deployed import MARKERS, target

from edge.deploy.host import ThisMachine
from edge.deploy.target import PROBE, hindrances, look_over
from edge.errors import EdgeError


def python(version: str) -> dict[str, str]:
    return {**MARKERS, "python_version": version}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"markers": python("3.9")}, "Python 3.9 is too old"),
        ({"bits": 32, "markers": python("3.13")}, "32-bit Python 3.13 has no TFLite runtime"),
        ({"markers": {**MARKERS, "platform_machine": "armv6l"}}, "no wheels for a armv6l"),
        ({"systemd": False}, "systemd isn't running"),
        ({"sudo": "none", "portaudio": False}, "there is no sudo"),
        ({"free_bytes": 100_000_000}, "100 MB are free, and 262 MB are needed"),
        ({"memory_bytes": 100_000_000}, "100 MB of memory are too little"),
        ({"stranger": True}, "/opt/edge-listen/current is none of edge-deploy's"),
        ({"apt": False, "portaudio": False}, "libportaudio2 must be there already, for it has no apt"),
    ],
)
def test_what_cannot_work_is_told(told: dict[str, object], said: str) -> None:
    (reason,) = hindrances(target(**told), offline=False)
    assert said in reason


def test_all_reasons_are_told_at_once() -> None:
    assert len(list(hindrances(target(systemd=False, sudo="none", free_bytes=0), offline=False))) == 3


@pytest.mark.parametrize("told", [{}, {"markers": python("3.13")}, {"portaudio": False, "venv": False}])
def test_what_can_work_is_not_refused(told: dict[str, object]) -> None:
    assert list(hindrances(target(**told), offline=False)) == []


def test_what_pypi_has_not_for_32_bits_cannot_be_brought_along() -> None:
    (reason,) = hindrances(target(bits=32), offline=True)
    assert "no 32-bit wheels of numpy and cffi and soxr" in reason
    assert list(hindrances(target(bits=32), offline=False)) == []


def test_a_machine_without_internet_has_to_have_debians_packages_already() -> None:
    (reason,) = hindrances(target(portaudio=False, venv=False), offline=True)
    assert "libportaudio2 and python3-venv must be there already" in reason


def test_this_machine_tells_what_it_is() -> None:
    here = look_over(ThisMachine())
    assert here.python == sys.version_info[:2] or here.python >= (3, 7)  # its own Python, which may not be ours
    assert here.free_bytes > 0
    assert here.memory_bytes > here.free_memory_bytes > 0
    assert here.system
    assert here.markers["sys_platform"] in str(here) or here.system in str(here)


def test_a_machine_that_says_something_else_is_told() -> None:
    class Chatty(ThisMachine):
        def _there(self, words: list[str]) -> list[str]:
            return ["echo", "Welcome to Raspberry Pi OS!"]

    with pytest.raises(EdgeError, match="says something else than what it was asked: Welcome"):
        look_over(Chatty())


def test_the_probe_is_understood_by_the_python_of_old_systems() -> None:
    """3.5 is Stretch's: what it is told by is the refusal, not a SyntaxError."""
    code = f"import ast, pathlib; ast.parse(pathlib.Path({str(PROBE)!r}).read_text(), feature_version=(3, 5))"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert 'f"' not in Path(PROBE).read_text()
