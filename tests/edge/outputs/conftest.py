"""Fixtures of the outputs' tests: brokers, their clients, and the log."""

import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.broker import PASSWORD, TOPICS, USER, Broker, MakeOutput, Watch, Watcher, make_certificates

from edge.config import Mqtt
from edge.outputs.mqtt import PASSWORD_VARIABLE, MqttOutput


@pytest.fixture(autouse=True)
def no_password_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (PASSWORD_VARIABLE, "CREDENTIALS_DIRECTORY"):
        if name in os.environ:
            monkeypatch.delenv(name)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker for everyone, not started."""
    broker = Broker(tmp_path, "allow_anonymous true")
    yield broker
    broker.kill()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Broker]:
    """A broker that requires USER and PASSWORD."""
    passwords = tmp_path / "passwords"
    passwords.touch()
    broker = Broker(tmp_path, "allow_anonymous false", f"password_file {passwords}")
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), USER, PASSWORD], check=True)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.crt, localhost.crt and localhost.key."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.fixture
def tls_broker(tmp_path: Path, certificates: Path) -> Iterator[Broker]:
    files = [f"certfile {certificates}/localhost.crt", f"keyfile {certificates}/localhost.key"]
    broker = Broker(tmp_path, "allow_anonymous true", *files)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Makes watchers, which are closed in the end."""
    watchers: list[Watcher] = []

    def watch(broker: Broker, ca: Path | None = None) -> Watcher:
        watchers.append(Watcher(broker, ca))
        return watchers[-1]

    yield watch
    for watcher in watchers:
        watcher.close()


@pytest.fixture
def make() -> Iterator[MakeOutput]:
    """Makes and starts outputs of a device called "kitchen", which are closed in the end."""
    outputs: list[MqttOutput] = []

    def make(broker: Broker, **options: object) -> MqttOutput:
        fields = {"host": "localhost", "port": broker.port, "name": "kitchen", **options}
        outputs.append(MqttOutput(Mqtt(**fields)))  # type: ignore[arg-type]
        outputs[-1].start()
        return outputs[-1]

    yield make
    for output in outputs:
        output.close()


@pytest.fixture
def connected(broker: Broker, watch: Watch, make: MakeOutput) -> tuple[MqttOutput, Watcher]:
    """An output and a watcher at the same broker."""
    broker.start()
    watcher = watch(broker)
    output = make(broker)
    watcher.wait_for_payload(f"{TOPICS}/availability", "online")
    return output, watcher


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log lines of the package."""
    caplog.set_level(logging.INFO, "edge")
    return caplog
