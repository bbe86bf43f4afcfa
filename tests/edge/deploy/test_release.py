"""Releases, requests for them, and differences from the current one."""

import dataclasses
import tomllib
from pathlib import Path

import pytest
from helpers.deployed import MARKERS, target, wheel
from hypothesis import given
from hypothesis import strategies as st

from edge.config import parse_config
from edge.deploy import layout
from edge.deploy.release import (
    UNIT,
    DeployRequest,
    Release,
    changes,
    current_release,
    only_the_model_differs,
    with_key,
)
from edge.errors import EdgeError, UsageError
from edge.model.load import SHIPPED_MODEL

TABLES = ["", '\n[history]\nfile = "h.db"\n', '\n[mqtt]\nhost = "broker"  # [device]\n\n[prometheus]\n']
HEADS = ["", "# words\n", "hop = 1.0\n", 'device = "old" # this one\nhop = 1.0\n', "top-k = 2\n\n# end\n"]


def deployed(request: DeployRequest, **there: object) -> tuple[Release, dict[str, object]]:
    """A release, and the fields of the probe where it runs."""
    fresh = target(**there)
    release = request.release_on(fresh)
    config = request.config_on(fresh)
    return release, {**there, "release": dataclasses.asdict(release), "config": config, "unit": UNIT.read_text()}


@given(
    st.sampled_from(HEADS), st.sampled_from(TABLES), st.text(st.characters(codec="utf-8", exclude_characters="\0\x7f"))
)
def test_a_key_is_set_and_everything_else_stays(head: str, tables: str, value: str) -> None:
    text = with_key(head + tables, "device", value)
    assert tomllib.loads(text) == {**tomllib.loads(head + tables), "device": value}
    assert [line for line in (head + tables).splitlines() if line.startswith("#")] == [
        line for line in text.splitlines() if line.startswith("#")
    ]


def test_a_key_that_cannot_be_set_safely_is_an_error() -> None:
    with pytest.raises(EdgeError, match='add the line by hand: device = "new"'):
        with_key('device = """\nold\n"""\n', "device", "new")


def test_a_first_configuration_names_the_device_and_the_model_of_the_release(tmp_path: Path) -> None:
    text = DeployRequest(wheel(tmp_path), device="usb:1:2").config_on(target())
    assert parse_config(text, "") == {"device": "usb:1:2", "model": layout.MODEL}


def test_the_existing_configuration_stays(tmp_path: Path) -> None:
    there = 'device = "mic"\nmodel = "/srv/mine.tflite"\n\n[history]\nfile = "h.db"\n'
    assert DeployRequest(wheel(tmp_path)).config_on(target(config=there)) == there
    assert (
        parse_config(DeployRequest(wheel(tmp_path), model=SHIPPED_MODEL).config_on(target(config=there)), "")["model"]
        == layout.MODEL
    )


def test_an_invalid_existing_configuration_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"/etc/edge-listen.toml: .*devise"):
        DeployRequest(wheel(tmp_path)).config_on(target(config='devise = "mic"\n'))


def test_deploying_the_same_again_changes_nothing(tmp_path: Path) -> None:
    request = DeployRequest(wheel(tmp_path), device="mic")
    _, there = deployed(request)
    now = target(**there)
    assert changes(current_release(now), request.release_on(now), now) == []
    assert changes(current_release(now), DeployRequest(wheel(tmp_path)).release_on(now), now) == []


@pytest.mark.parametrize(
    ("changed", "there", "parts"),
    [
        ({"device": "other"}, {}, ["configuration"]),
        ({}, {"config": 'device = "by hand"\n'}, ["configuration"]),
        ({}, {"unit": "[Unit]\n"}, ["unit"]),
        ({}, {"markers": {**MARKERS, "python_full_version": "3.11.9"}}, ["requirements"]),
        ({"model": SHIPPED_MODEL.with_name("other.tflite")}, {}, ["model"]),
    ],
)
def test_each_change_is_named(
    changed: dict[str, object], there: dict[str, object], parts: list[str], tmp_path: Path
) -> None:
    if "model" in changed:
        changed["model"] = tmp_path / "other.tflite"
        (tmp_path / "other.tflite").write_bytes(b"another")
    release, present = deployed(DeployRequest(wheel(tmp_path), device="mic"))
    now = target(**{**present, **there})
    new = DeployRequest(wheel(tmp_path), **changed).release_on(now)  # type: ignore[arg-type]
    assert changes(release, new, now) == parts
    assert only_the_model_differs(release, new) == (parts == ["model"])
    assert new.before == release.name


def test_another_program_is_a_change_even_at_the_same_version(tmp_path: Path) -> None:
    release, there = deployed(DeployRequest(wheel(tmp_path)))
    now = target(**there)
    assert changes(release, DeployRequest(wheel(tmp_path, {"edge/new.py": b"pass"})).release_on(now), now) == [
        "program"
    ]


def test_a_deployed_model_stays_and_the_model_of_the_program_is_updated(tmp_path: Path) -> None:
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(b"mine")
    release, there = deployed(DeployRequest(wheel(tmp_path), model=mine))
    assert (release.model_name, "onnx" in release.extras) == ("mine.onnx", True)
    newer = DeployRequest(wheel(tmp_path / "newer", {"edge/data/model.tflite": b"newer"}))
    assert newer.release_on(target(**there)).model == release.model
    shipped, there = deployed(DeployRequest(wheel(tmp_path)))
    assert newer.release_on(target(**there)).model != shipped.model


def test_an_incompatible_record_is_an_error() -> None:
    with pytest.raises(EdgeError, match="run edge-deploy --remove first"):
        current_release(target(release={"name": "0.0.1"}))
