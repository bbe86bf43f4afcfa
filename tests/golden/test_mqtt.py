"""Messages to an MQTT broker: topics, payloads, retained flags, Home Assistant's discovery and the last will."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from golden.broker import Broker, Subscriber
from golden.commands import PipedListener, demo
from golden.recording import as_json_lines, check, json_lines
from paho.mqtt.client import MQTTMessage

pytestmark = pytest.mark.broker

AVAILABILITY = "edge-listen/kitchen/availability"


@pytest.fixture(autouse=True)
def no_password_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EDGE_LISTEN_MQTT_PASSWORD", "CREDENTIALS_DIRECTORY"):
        if name in os.environ:
            monkeypatch.delenv(name)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.close()


def configuration(broker: Broker, folder: Path, **more: str) -> Path:
    """A configuration file of a device that is called kitchen."""
    path = folder / "edge-listen.toml"
    keys = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    path.write_text(f'[mqtt]\nhost = "localhost"\nport = {broker.port}\nname = "kitchen"\n{keys}')
    return path


def heard(broker: Broker, config: Path, samples: bytes, online: str = AVAILABILITY) -> list[MQTTMessage]:
    """The messages of a listener to these samples, from before it starts until it has ended."""
    with Subscriber(broker) as subscriber, PipedListener("--config", config) as listener:
        subscriber.wait_for(online, "online")
        listener.write(samples)
        assert listener.finish() == 0
        subscriber.wait_for(online, "offline")
        return list(subscriber.messages)


def lines(messages: list[MQTTMessage]) -> str:
    """A JSON object a message, with its payload as JSON where it is an object."""
    return as_json_lines({"topic": m.topic, "payload": payload(m)} for m in messages)


def payload(message: MQTTMessage) -> Any:
    """A word, or an object without the version that happens to be installed."""
    text = message.payload.decode()
    if not text.startswith("{"):
        return text
    fields = json.loads(text)
    for part in ("device", "origin"):
        if isinstance(about := fields.get(part), dict):
            assert about["sw_version"]
            about["sw_version"] = "VERSION"
    return fields


def test_messages_of_a_run_over_the_demo(broker: Broker, tmp_path: Path) -> None:
    messages = heard(broker, configuration(broker, tmp_path), demo())
    check("mqtt.jsonl", lines(messages), json_lines)


def test_topics_and_discovery_prefix_follow_the_configuration(broker: Broker, tmp_path: Path) -> None:
    config = configuration(broker, tmp_path, topic="house", discovery="ha")
    messages = heard(broker, config, demo(0, 1), "house/kitchen/availability")
    check("mqtt_topics.jsonl", lines(messages), json_lines)


def test_an_empty_discovery_prefix_announces_nothing(broker: Broker, tmp_path: Path) -> None:
    messages = heard(broker, configuration(broker, tmp_path, discovery=""), demo(0, 1))
    assert sorted({m.topic.rpartition("/")[2] for m in messages}) == ["attributes", "availability", "state"]


def test_every_topic_is_retained(broker: Broker, tmp_path: Path) -> None:
    heard(broker, configuration(broker, tmp_path), demo(0, 4))
    with Subscriber(broker) as later:
        later.wait_for(AVAILABILITY, "offline")
        later.wait_for("edge-listen/kitchen/state", "classical")
        retained = sorted(m.topic for m in later.messages if m.retain)
    check("mqtt_retained.txt", "\n".join(retained) + "\n")


def test_the_last_will_says_offline_and_is_retained(broker: Broker, tmp_path: Path) -> None:
    with Subscriber(broker) as subscriber, PipedListener("--config", configuration(broker, tmp_path)) as listener:
        subscriber.wait_for(AVAILABILITY, "online")
        assert listener.stop(signal.SIGKILL) == -signal.SIGKILL
        subscriber.wait_for(AVAILABILITY, "offline")
    with Subscriber(broker) as later:
        later.wait_for(AVAILABILITY, "offline")
        assert all(message.retain for message in later.messages)


def test_home_assistant_is_told_again_when_it_has_started(broker: Broker, tmp_path: Path) -> None:
    with Subscriber(broker) as subscriber, PipedListener("--config", configuration(broker, tmp_path)):
        subscriber.wait_for(AVAILABILITY, "online")
        announced = [m.topic for m in subscriber.messages if m.topic.endswith("/config")]
        subscriber.publish("homeassistant/status", "online")
        subscriber.wait_for_count(lambda m: m.topic in announced, 2 * len(announced))
