"""The probe of a machine, and the reasons that nothing can be deployed there."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.deployed import MARKERS, target

from edge.deploy.host import ThisMachine
from edge.deploy.target import PROBE, blockers, probe
from edge.errors import EdgeError


def python(version: str) -> dict[str, str]:
    return {**MARKERS, "python_version": version}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"markers": python("3.9")}, "Python 3.9 is too old"),
        ({"bits": 32, "markers": python("3.13")}, "no TFLite runtime for 32-bit Python 3.13"),
        ({"markers": {**MARKERS, "platform_machine": "armv6l"}}, "no wheels for armv6l"),
        ({"systemd": False}, "systemd is not running"),
        (
            {"sudo": "none", "portaudio": False},
            "the user is not root and sudo is missing; installing a system service needs one of them",
        ),
        ({"free_bytes": 100_000_000}, "not enough disk: 100 MB are free, 262 MB are needed"),
        ({"memory_bytes": 100_000_000}, "not enough memory: 100 MB"),
        ({"foreign_install": True}, "/opt/edge-listen/current was not made by edge-deploy"),
        ({"apt": False, "portaudio": False}, "libportaudio2 must be installed already, because the machine has no apt"),
    ],
)
def test_a_blocker_is_named(changes: dict[str, object], message: str) -> None:
    (reason,) = blockers(target(**changes), offline=False)
    assert message in reason


def test_all_blockers_are_named_at_once() -> None:
    assert len(list(blockers(target(systemd=False, sudo="none", free_bytes=0), offline=False))) == 3


@pytest.mark.parametrize("changes", [{}, {"markers": python("3.13")}, {"portaudio": False, "venv": False}])
def test_a_suitable_machine_has_no_blockers(changes: dict[str, object]) -> None:
    assert list(blockers(target(**changes), offline=False)) == []


def test_wheels_that_pypi_lacks_for_32_bits_cannot_be_brought_along() -> None:
    (reason,) = blockers(target(bits=32), offline=True)
    assert "no 32-bit wheels of numpy and cffi and soxr" in reason
    assert list(blockers(target(bits=32), offline=False)) == []


def test_an_offline_deployment_needs_the_debian_packages_installed() -> None:
    (reason,) = blockers(target(portaudio=False, venv=False), offline=True)
    assert "libportaudio2 and python3-venv must be installed already" in reason


def test_the_probe_describes_this_machine() -> None:
    here = probe(ThisMachine())
    assert here.python == sys.version_info[:2] or here.python >= (3, 7)  # its own Python, which may not be ours
    assert here.free_bytes > 0
    assert here.memory_bytes > here.free_memory_bytes > 0
    assert here.system
    assert here.markers["sys_platform"] in str(here) or here.system in str(here)


def test_an_unexpected_reply_of_the_probe_is_an_error() -> None:
    class Chatty(ThisMachine):
        def _command(self, arguments: list[str]) -> list[str]:
            return ["echo", "Welcome to Raspberry Pi OS!"]

    with pytest.raises(EdgeError, match="unexpected reply from the probe: Welcome"):
        probe(Chatty())


def test_the_probe_runs_with_the_python_of_old_systems() -> None:
    """3.5 is that of Debian Stretch: its user gets a refusal, not a SyntaxError."""
    code = f"import ast, pathlib; ast.parse(pathlib.Path({str(PROBE)!r}).read_text(), feature_version=(3, 5))"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert 'f"' not in Path(PROBE).read_text()


def test_the_report_has_the_keys_of_version_0_1() -> None:
    fields = target().to_dict()
    assert fields["stranger"] is False
    assert "foreign_install" not in fields
