"""Wheels for another machine; pip is the real one, and the index is a folder of small wheels."""

from pathlib import Path

import pytest
from helpers.deployed import MARKERS, wheel

from edge.deploy.wheels import fetch, needs, platform_tags
from edge.errors import EdgeError

TRIXIE = {**MARKERS, "python_version": "3.13", "python_full_version": "3.13.5"}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder that is the only index of pip."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def requires(*lines: str) -> str:
    return "".join(f"Requires-Dist: {line}\n" for line in lines)


def fetched(tmp_path: Path, of: Path, *extras: str, markers: dict[str, str] = MARKERS) -> list[str]:
    return [path.name for path in fetch(of, frozenset(extras), markers, "2.36", tmp_path / "fetched")]


@pytest.mark.slow
def test_the_wheel_for_the_machine_is_chosen_not_the_one_for_this_one(index: Path, tmp_path: Path) -> None:
    for tag in (
        "cp311-cp311-manylinux_2_34_aarch64",
        "cp311-cp311-manylinux_2_34_x86_64",
        "cp313-cp313-manylinux_2_34_aarch64",
    ):
        wheel(index, name="native-1.0", tag=tag)
    of = wheel(tmp_path, requires=requires("native>=1"))
    assert fetched(tmp_path, of) == ["native-1.0-cp311-cp311-manylinux_2_34_aarch64.whl"]
    assert fetched(tmp_path, of, markers=TRIXIE) == ["native-1.0-cp313-cp313-manylinux_2_34_aarch64.whl"]


@pytest.mark.slow
def test_markers_at_every_depth_are_evaluated_for_the_machine(index: Path, tmp_path: Path) -> None:
    old, new, intel = (
        f"{name}; {marker}"
        for name, marker in (
            ("old", "python_version < '3.12'"),
            ("new", "python_version >= '3.12'"),
            ("intel", "platform_machine == 'x86_64'"),
        )
    )
    for name in ("old", "new", "intel"):
        wheel(index, name=f"{name}-1.0")
    wheel(index, name="middle-1.0", requires=requires(old, new, intel))
    of = wheel(tmp_path, requires=requires("middle"))
    assert fetched(tmp_path, of) == ["middle-1.0-py3-none-any.whl", "old-1.0-py3-none-any.whl"]
    assert fetched(tmp_path, of, markers=TRIXIE) == ["middle-1.0-py3-none-any.whl", "new-1.0-py3-none-any.whl"]


@pytest.mark.slow
def test_extras_are_followed_if_requested(index: Path, tmp_path: Path) -> None:
    wheel(index, name="paho-1.0", requires="Provides-Extra: proxy\n" + requires('socks; extra == "proxy"'))
    wheel(index, name="socks-1.0")
    wheel(index, name="always-1.0")
    of = wheel(tmp_path, requires="Provides-Extra: mqtt\n" + requires("always", 'paho[proxy]; extra == "mqtt"'))
    assert fetched(tmp_path, of) == ["always-1.0-py3-none-any.whl"]
    assert fetched(tmp_path, of, "mqtt") == [f"{name}-1.0-py3-none-any.whl" for name in ("always", "paho", "socks")]


@pytest.mark.slow
def test_a_version_that_a_nested_requirement_excludes_is_not_chosen(index: Path, tmp_path: Path) -> None:
    wheel(index, name="numpy-1.0")
    wheel(index, name="numpy-2.0")
    wheel(index, name="runtime-1.0", requires=requires("numpy<2"))
    of = wheel(tmp_path, requires=requires("numpy", "runtime"))
    assert fetched(tmp_path, of) == ["numpy-1.0-py3-none-any.whl", "runtime-1.0-py3-none-any.whl"]


def test_a_missing_wheel_is_named(index: Path, tmp_path: Path) -> None:
    wheel(index, name="native-1.0", tag="cp311-cp311-manylinux_2_34_x86_64")
    with pytest.raises(EdgeError, match=r"cannot download every wheel: .*native"):
        fetched(tmp_path, wheel(tmp_path, requires=requires("native>=1")))


def test_a_requirement_without_an_extra_is_always_included(tmp_path: Path) -> None:
    of = wheel(tmp_path, requires=requires('a; python_version < "3.12"', 'b; extra == "c" and python_version < "3.12"'))
    assert [str(r) for r in needs(of, frozenset(), MARKERS)] == ["a"]
    assert [str(r) for r in needs(of, frozenset({"c"}), MARKERS)] == ["a", "b"]


def test_the_newest_glibc_comes_first() -> None:
    tags = list(platform_tags("aarch64", "2.36"))
    assert (tags[0], tags[-2:]) == ("manylinux_2_36_aarch64", ["manylinux2014_aarch64", "linux_aarch64"])
