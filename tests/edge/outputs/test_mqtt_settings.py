"""Settings of the MQTT output that are checked without a broker."""

import re
import sys
from pathlib import Path

import pytest
from helpers.broker import PASSWORD, USER
from hypothesis import given
from hypothesis import strategies as st

from edge.config import Mqtt
from edge.errors import UsageError
from edge.outputs.mqtt import PASSWORD_VARIABLE, MqttOutput, object_id


@given(name=st.text(min_size=1), other=st.text(min_size=1))
def test_every_name_gives_its_own_valid_id(name: str, other: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", object_id(name))
    assert (object_id(name) == object_id(other)) == (name == other)


def test_a_missing_or_empty_password_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "password"
    with pytest.raises(UsageError, match=re.escape(f"{path}: no such file or directory")):
        MqttOutput(Mqtt("localhost", username=USER, password_file=str(path)))
    path.touch()
    with pytest.raises(UsageError, match="first line has no password"):
        MqttOutput(Mqtt("localhost", username=USER, password_file=str(path)))


def test_a_missing_or_invalid_ca_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    with pytest.raises(UsageError, match=re.escape(f"{path}: no such file or directory")):
        MqttOutput(Mqtt("localhost", tls=True, ca_file=str(path)))
    path.write_text("hello")
    with pytest.raises(UsageError, match=re.escape(str(path))):
        MqttOutput(Mqtt("localhost", tls=True, ca_file=str(path)))


def test_incomplete_settings_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="not tls = true"):
        MqttOutput(Mqtt("localhost", ca_file=str(tmp_path)))
    with pytest.raises(UsageError, match="invalid host name"):
        MqttOutput(Mqtt("no..host"))
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with pytest.raises(UsageError, match="no username"):
        MqttOutput(Mqtt("localhost"))


def test_the_error_without_paho_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with pytest.raises(UsageError, match=r"pip install 'edge-listen\[mqtt\]'"):
        MqttOutput(Mqtt("localhost"))
