"""A service deployed by version 0.1 is updated by this one, which reads its records and its configuration."""

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
from helpers.deployed import Machine, target

from edge.deploy import layout, scripts
from edge.deploy.release import UNIT, Release, current_release
from edge.errors import EdgeError

# Written by version 0.1, for a program whose model is the five bytes `model`.
RECORD_0_1 = """\
{
 "name": "0.1.0-20261125-102959",
 "version": "0.1.0",
 "wheel": "f1884297aa3c34ced3ec166197950690da36be89359d4be9706c5406b233485a",
 "requires": "aed5fef6299942a13afe789883ba9e22c3bfb0d141632a65ac52050a641e63e5",
 "extras": [
  "mqtt",
  "prometheus"
 ],
 "model": "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4",
 "model_name": null,
 "unit": "69eb2f9eac180264e890992e2bf79b434dc2b4f326fb324dcfa37de0d74145a3",
 "config": "e7de2e27c289125b6d3bbfa953c78f8228f6580a4c32f5cbabdad1930e4b2ae6",
 "deployed": "2026-11-25T10:29:59+00:00",
 "before": null
}
"""


def config_0_1() -> str:
    """The configuration on that machine."""
    return f'device = "mic"\nmodel = {json.dumps(layout.MODEL)}\n'


@pytest.fixture
def deployed_by_0_1(machine: Machine) -> Machine:
    """A machine on which version 0.1 runs."""
    record = json.loads(RECORD_0_1)
    folder = Path(scripts.folder_of(record["name"]))
    Path(scripts.share_of(record["name"])).mkdir(parents=True)
    config = config_0_1()
    record["config"] = hashlib.sha256(config.encode()).hexdigest()
    (folder / "model").write_bytes(b"model")
    for path in (folder / layout.SHARE / "config", Path(layout.CONFIG)):
        path.write_text(config)
    for path in (folder / layout.SHARE / "unit", Path(layout.UNIT)):
        path.write_text("[Unit]\nDescription=of version 0.1\n")
    (folder / layout.RECORD).write_text(json.dumps(record))
    machine.host.run(scripts.switch(record["name"], scripts.RESTART))
    return machine


def test_the_record_of_0_1_is_read_and_written_alike(machine: Machine) -> None:
    release = current_release(target(release=json.loads(RECORD_0_1)))
    assert release is not None
    assert release.to_json() == RECORD_0_1
    assert [field.name for field in dataclasses.fields(Release)] == list(json.loads(RECORD_0_1))


def test_a_service_deployed_by_0_1_is_updated_and_rolled_back(deployed_by_0_1: Machine) -> None:
    machine, old = deployed_by_0_1, json.loads(RECORD_0_1)["name"]
    assert machine.release == old
    done = machine.deploy("mic")
    assert any("program" in line and "unit" in line for line in machine.lines if line.startswith("deploy "))
    assert machine.release != old
    assert done.report["release"]["before"] == old
    assert Path(layout.CONFIG).read_text() == config_0_1()
    assert Path(layout.UNIT).read_text() == UNIT.read_text()
    machine.deployment(patience=5).roll_back()
    assert machine.release == old
    assert Path(layout.UNIT).read_text() == "[Unit]\nDescription=of version 0.1\n"


def test_an_update_of_0_1_that_fails_returns_to_it(deployed_by_0_1: Machine) -> None:
    machine, old = deployed_by_0_1, json.loads(RECORD_0_1)["name"]
    with pytest.raises(EdgeError, match=f"{old} is running again"):
        machine.deploy("other", "silent", patience=0.1)
    assert machine.release == old
