"""What shall be on a machine, against what is there."""

import dataclasses
import tomllib
from pathlib import Path

import pytest
from deployed import MARKERS, target, wheel
from hypothesis import given
from hypothesis import strategies as st

from edge.config import parse
from edge.deploy import layout
from edge.deploy.release import UNIT, Release, Wanted, changes, only_the_model_differs, release_of, with_key
from edge.errors import EdgeError, UsageError
from edge.model import SHIPPED

TABLES = ["", '\n[history]\nfile = "h.db"\n', '\n[mqtt]\nhost = "broker"  # [device]\n\n[prometheus]\n']
HEADS = ["", "# words\n", "hop = 1.0\n", 'device = "old" # this one\nhop = 1.0\n', "top-k = 2\n\n# end\n"]


def deployed(wanted: Wanted, **there: object) -> tuple[Release, dict[str, object]]:
    """A release, and what a probe says where it runs."""
    fresh = target(**there)
    release = wanted.on(fresh)
    told = {"release": dataclasses.asdict(release), "config": wanted.config_on(fresh), "unit": UNIT.read_text()}
    return release, {**there, **told}


@given(
    st.sampled_from(HEADS), st.sampled_from(TABLES), st.text(st.characters(codec="utf-8", exclude_characters="\0\x7f"))
)
def test_a_key_is_set_and_all_else_stays(head: str, tables: str, value: str) -> None:
    text = with_key(head + tables, "device", value)
    assert tomllib.loads(text) == {**tomllib.loads(head + tables), "device": value}
    assert [line for line in (head + tables).splitlines() if line.startswith("#")] == [
        line for line in text.splitlines() if line.startswith("#")
    ]


def test_a_key_that_only_a_person_can_set_is_told() -> None:
    with pytest.raises(EdgeError, match='write the line by hand: device = "new"'):
        with_key('device = """\nold\n"""\n', "device", "new")


def test_a_first_configuration_names_the_device_and_the_model_of_the_release(tmp_path: Path) -> None:
    text = Wanted(wheel(tmp_path), device="usb:1:2").config_on(target())
    assert parse(text, "") == {"device": "usb:1:2", "model": layout.MODEL}


def test_what_is_configured_there_stays(tmp_path: Path) -> None:
    there = 'device = "mic"\nmodel = "/srv/mine.tflite"\n\n[history]\nfile = "h.db"\n'
    assert Wanted(wheel(tmp_path)).config_on(target(config=there)) == there
    assert parse(Wanted(wheel(tmp_path), model=SHIPPED).config_on(target(config=there)), "")["model"] == layout.MODEL


def test_a_configuration_there_that_nobody_understands_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"/etc/edge-listen.toml: .*devise"):
        Wanted(wheel(tmp_path)).config_on(target(config='devise = "mic"\n'))


def test_the_same_again_is_no_change(tmp_path: Path) -> None:
    wanted = Wanted(wheel(tmp_path), device="mic")
    _, there = deployed(wanted)
    now = target(**there)
    assert changes(release_of(now), wanted.on(now), now) == []
    assert changes(release_of(now), Wanted(wheel(tmp_path)).on(now), now) == []


@pytest.mark.parametrize(
    ("changed", "there", "said"),
    [
        ({"device": "other"}, {}, ["configuration"]),
        ({}, {"config": 'device = "by hand"\n'}, ["configuration"]),
        ({}, {"unit": "[Unit]\n"}, ["unit"]),
        ({}, {"markers": {**MARKERS, "python_full_version": "3.11.9"}}, ["what it requires"]),
        ({"model": SHIPPED.with_name("other.tflite")}, {}, ["model"]),
    ],
)
def test_each_change_has_its_word(
    changed: dict[str, object], there: dict[str, object], said: list[str], tmp_path: Path
) -> None:
    if "model" in changed:
        changed["model"] = tmp_path / "other.tflite"
        (tmp_path / "other.tflite").write_bytes(b"another")
    release, present = deployed(Wanted(wheel(tmp_path), device="mic"))
    now = target(**{**present, **there})
    wanted = Wanted(wheel(tmp_path), **changed).on(now)  # type: ignore[arg-type]
    assert changes(release, wanted, now) == said
    assert only_the_model_differs(release, wanted) == (said == ["model"])
    assert wanted.before == release.name


def test_another_program_is_a_change_even_at_the_same_version(tmp_path: Path) -> None:
    release, there = deployed(Wanted(wheel(tmp_path)))
    now = target(**there)
    assert changes(release, Wanted(wheel(tmp_path, {"edge/new.py": b"pass"})).on(now), now) == ["program"]


def test_a_model_that_was_deployed_stays_and_the_programs_own_moves_on(tmp_path: Path) -> None:
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(b"mine")
    release, there = deployed(Wanted(wheel(tmp_path), model=mine))
    assert (release.model_name, "onnx" in release.extras) == ("mine.onnx", True)
    newer = Wanted(wheel(tmp_path / "newer", {"edge/data/model.tflite": b"newer"}))
    assert newer.on(target(**there)).model == release.model
    shipped, there = deployed(Wanted(wheel(tmp_path)))
    assert newer.on(target(**there)).model != shipped.model


def test_a_record_of_another_version_of_the_program_is_told() -> None:
    with pytest.raises(EdgeError, match="--remove it first"):
        release_of(target(release={"name": "0.0.1"}))
