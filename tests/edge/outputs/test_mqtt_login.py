"""Passwords and TLS between the output and an MQTT broker."""

import itertools
import time
from pathlib import Path

import pytest
from helpers.broker import PASSWORD, ROCK, TOPICS, USER, Broker, MakeOutput, Watch
from helpers.support import wait_for
from paho.mqtt.client import Client

from edge.outputs.mqtt import PASSWORD_VARIABLE
from edge.stats import Stats

pytestmark = pytest.mark.broker


@pytest.mark.slow
def test_a_wrong_password_is_logged_once_and_retried_with_growing_pauses(
    guarded: Broker, make: MakeOutput, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []
    connect = Client.reconnect
    monkeypatch.setattr(Client, "reconnect", lambda self: (attempts.append(time.monotonic()), connect(self))[1])
    monkeypatch.setenv(PASSWORD_VARIABLE, "wrong")
    output = make(guarded, username=USER)
    wait_for(lambda: len(attempts) == 4)
    output.show(ROCK, Stats())
    assert log.messages == [f"{guarded.log_name}: not authorized; trying again"]
    pauses = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert pauses[0] >= 1
    assert pauses[1] >= 2
    assert pauses[2] >= 4


@pytest.mark.parametrize("origin", ["file", "environment", "systemd"])
def test_the_password_comes_from_a_file_the_environment_or_systemd(
    origin: str,
    guarded: Broker,
    make: MakeOutput,
    watch: Watch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "mqtt-password"
    path.write_text(f"{PASSWORD}\nanother line\n")
    options = {"username": USER}
    if origin == "file":
        options["password_file"] = str(path)
        monkeypatch.setenv(PASSWORD_VARIABLE, "wrong")
    elif origin == "environment":
        monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    else:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    make(guarded, **options).show(ROCK, Stats())
    watch(guarded).wait_for_payload(f"{TOPICS}/state", "rock")


def test_tls_with_the_brokers_ca(tls_broker: Broker, certificates: Path, make: MakeOutput, watch: Watch) -> None:
    ca = certificates / "ca.crt"
    make(tls_broker, tls=True, ca_file=str(ca)).show(ROCK, Stats())
    watch(tls_broker, ca).wait_for_payload(f"{TOPICS}/state", "rock")


def test_tls_with_an_unknown_ca_is_refused(tls_broker: Broker, make: MakeOutput, log: pytest.LogCaptureFixture) -> None:
    make(tls_broker, tls=True)
    wait_for(lambda: bool(log.messages))
    assert log.messages[0].startswith(f"{tls_broker.log_name}: the certificate is not trusted (")


def test_missing_tls_is_logged(tls_broker: Broker, make: MakeOutput, log: pytest.LogCaptureFixture) -> None:
    make(tls_broker).show(ROCK, Stats())
    wait_for(lambda: bool(log.messages))
    assert log.messages[0].endswith(": no reply (is the port right, and the setting tls?); trying again")


def test_tls_with_a_broker_without_it_is_logged(
    broker: Broker, make: MakeOutput, log: pytest.LogCaptureFixture
) -> None:
    broker.start()
    make(broker, tls=True).show(ROCK, Stats())
    wait_for(lambda: bool(log.messages))
    assert log.messages[0].startswith(f"{broker.log_name}: ")
