"""The wheel that a deployment sends: built from a checkout, or packed again from the installed files."""

import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from helpers.deployed import wheel

from edge.deploy import package
from edge.errors import EdgeError


def installed(path: Path, folder: Path) -> dict[str, bytes]:
    """Files that pip installs from a wheel, without those that it writes itself."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target"]
    subprocess.run([*pip, str(folder), str(path)], check=True)
    own = (*package.INSTALLERS, "WHEEL")
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name not in own and file.parent.name != "bin"
    }


def test_installed_files_are_packed_into_the_same_wheel(tmp_path: Path) -> None:
    entry = b"[console_scripts]\nsay = edge.say:main\n"
    files = {
        "edge/__init__.py": b"",
        "edge/say.py": b"def main(): ...",
        "edge_listen-1.0.dist-info/entry_points.txt": entry,
    }
    first = wheel(tmp_path, files)
    before = installed(first, tmp_path / "site")
    found = next(importlib.metadata.distributions(path=[str(tmp_path / "site")]))
    (tmp_path / "site/edge/__pycache__").mkdir()
    (tmp_path / "site/edge/__pycache__/say.pyc").touch()
    again = package._packed(found, tmp_path / "site")
    assert installed(again, tmp_path / "again") == before
    assert package.digest(again) == package.digest(first)
    assert (tmp_path / "again/bin/say").exists()


@pytest.mark.slow
def test_a_build_leaves_the_checkout_unchanged_and_is_reproducible(tmp_path: Path) -> None:
    before = set(package.CHECKOUT.iterdir())
    wheels = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        wheels.append(package.own_wheel(tmp_path / name))
    assert set(package.CHECKOUT.iterdir()) == before
    assert package.digest(wheels[0]) == package.digest(wheels[1])
    with zipfile.ZipFile(wheels[0]) as archive:
        assert {"edge/data/model.tflite", "edge/deploy/probe.py"} <= set(archive.namelist())
    assert package.metadata(wheels[0])["Name"] == package.NAME


PYPROJECT = """\
[project]
readme = "README.md"
license-files = ["LICENSE", "NOTICE"]

[tool.setuptools.packages.find]
include = ["edge", "edge.*"]
"""


def test_a_wheel_is_built_from_edge_and_the_files_of_the_project(tmp_path: Path) -> None:
    texts = {"pyproject.toml": PYPROJECT, "README.md": "", "LICENSE": "", "NOTICE": ""}
    modules = {"edge/__init__.py": "", "edge/part/__init__.py": ""}
    for name, text in {**texts, **modules, "train/__init__.py": "", "edge/__pycache__/x.pyc": ""}.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    package._copy_sources(tmp_path / "checkout", source := tmp_path / "source")
    copied = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    assert copied == {*texts, *modules}


def test_the_digest_depends_on_the_content_alone(tmp_path: Path) -> None:
    one, same, other = (
        wheel(tmp_path / name, {"edge/a.py": content}) for name, content in (("1", b"1"), ("2", b"1"), ("3", b"3"))
    )
    assert package.digest(one) == package.digest(same) != package.digest(other)


def test_a_file_that_is_not_a_wheel_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    bad = tmp_path / "edge_listen-1.0-py3-none-any.whl"
    bad.write_bytes(b"PK\3\4 and no more")
    for read in (package.digest, package.metadata):
        with pytest.raises(EdgeError, match=r"1\.0-py3-none-any\.whl: not a wheel"):
            read(bad)
        with pytest.raises(EdgeError, match="not a wheel"):
            read(tmp_path / "missing-1.0-py3-none-any.whl")
