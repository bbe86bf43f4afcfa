"""Messages that an MQTT broker and Home Assistant receive."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.broker import ROCK, SILENCE, TOPICS, Broker, MakeOutput, Watch, Watcher
from helpers.support import wait_for
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from edge.answer import Answer
from edge.outputs.mqtt import CLOSE_SECONDS, REFRESH_SECONDS, MqttOutput
from edge.stats import Stats

pytestmark = pytest.mark.broker


def test_messages_are_retained_for_later_subscribers(broker: Broker, watch: Watch, make: MakeOutput) -> None:
    broker.start()
    output = make(broker)
    first = watch(broker)
    output.show(ROCK, Stats("hw:1 (USB Audio)", overruns=2, reconnects=1))
    first.wait_for_payload(f"{TOPICS}/state", "rock")
    later = watch(broker)
    later.wait_for_payload(f"{TOPICS}/state", "rock")
    later.wait_for_payload(f"{TOPICS}/availability", "online")
    wait_for(lambda: f"{TOPICS}/attributes" in later.now)
    assert json.loads(later.now[f"{TOPICS}/attributes"]) == {
        "t": 12.5,
        "state": "music",
        "label": "rock",
        "confidence": 0.8765,
        "top": [["rock", 0.8765], ["jazz", 0.1]],
        "lost": 0.25,
        "note": None,
        "device": "hw:1 (USB Audio)",
        "overruns": 2,
        "reconnects": 1,
    }


def test_the_state_topic_names_the_state_if_there_is_no_label(broker: Broker, watch: Watch, make: MakeOutput) -> None:
    broker.start()
    make(broker).show(SILENCE, Stats())
    watch(broker).wait_for_payload(f"{TOPICS}/state", "silence")


@pytest.mark.slow
def test_a_change_is_published_at_once_and_the_same_only_every_few_seconds(
    broker: Broker, watch: Watch, make: MakeOutput
) -> None:
    broker.start()
    watcher = watch(broker)
    output = make(broker)
    watcher.wait_for_payload(f"{TOPICS}/availability", "online")
    began = time.monotonic()
    shown = 0
    while time.monotonic() - began < 2.2 * REFRESH_SECONDS:
        output.show(ROCK, Stats())
        shown += 1
        time.sleep(0.01)
    elapsed = time.monotonic() - began
    output.show(SILENCE, Stats())
    watcher.wait_for_payload(f"{TOPICS}/state", "silence")
    states = [payload for topic, payload in watcher.all if topic == f"{TOPICS}/state"]
    assert shown > 20
    assert 2 <= states.count("rock") <= 1 + elapsed / REFRESH_SECONDS
    assert states.count("silence") == 1


def test_home_assistant_discovers_the_sensors(broker: Broker, watch: Watch, make: MakeOutput) -> None:
    broker.start()
    make(broker).show(ROCK, Stats())
    watcher = watch(broker)
    topics = [f"homeassistant/sensor/edge-listen-kitchen/{key}/config" for key in ("playing", "confidence")]
    wait_for(lambda: {*topics, f"{TOPICS}/attributes"} <= watcher.now.keys())
    entities = [json.loads(watcher.now[topic]) for topic in topics]
    assert [e["state_topic"] for e in entities] == [f"{TOPICS}/state", f"{TOPICS}/attributes"]
    assert entities[0]["json_attributes_topic"] == f"{TOPICS}/attributes"
    assert {e["availability_topic"] for e in entities} == {f"{TOPICS}/availability"}
    assert len({e["unique_id"] for e in entities}) == 2
    for entity in entities:
        assert entity["device"]["identifiers"] == ["edge-listen-kitchen"]
        assert entity["device"]["name"] == "kitchen"
        assert entity["device"]["sw_version"]


def test_discovery_is_published_again_when_home_assistant_starts(
    broker: Broker, watch: Watch, make: MakeOutput
) -> None:
    broker.start()
    watcher = watch(broker)
    make(broker)
    watcher.wait_for_payload(f"{TOPICS}/availability", "online")

    wait_for(lambda: watcher.discovery_messages() == 2)
    watcher.client.publish("homeassistant/status", "offline")
    watcher.client.publish("homeassistant/status", "online")
    wait_for(lambda: watcher.discovery_messages() == 4)


def test_without_discovery_no_discovery_messages_are_published(broker: Broker, watch: Watch, make: MakeOutput) -> None:
    broker.start()
    watcher = watch(broker)
    make(broker, discovery="")
    watcher.wait_for_payload(f"{TOPICS}/availability", "online")
    assert [topic for topic, _ in watcher.all] == [f"{TOPICS}/availability"]


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],  # an output that fails on one payload fails on every later one
)
@given(payload=st.binary(max_size=200), retain=st.booleans())
@example(payload=b"online", retain=True)
@example(payload=b"\xff\xfeonline\0", retain=True)
def test_any_bytes_as_home_assistants_status_are_survived(
    connected: tuple[MqttOutput, Watcher], payload: bytes, retain: bool
) -> None:
    output, watcher = connected
    announced = watcher.discovery_messages()
    watcher.client.publish("homeassistant/status", payload, retain=retain)
    label = f"after {payload.hex()} {time.monotonic()}"
    output.show(Answer(1.0, "music", label, 0.5), Stats())
    watcher.wait_for_payload(f"{TOPICS}/state", label)
    assert watcher.now[f"{TOPICS}/availability"] == "online"
    watcher.client.publish("homeassistant/status", "online")
    wait_for(lambda: watcher.discovery_messages() > announced)


def test_closing_publishes_offline(connected: tuple[MqttOutput, Watcher], log: pytest.LogCaptureFixture) -> None:
    output, watcher = connected
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < CLOSE_SECONDS
    watcher.wait_for_payload(f"{TOPICS}/availability", "offline")
    assert log.messages == []


def test_a_killed_process_becomes_offline(broker: Broker, watch: Watch) -> None:
    broker.start()
    watcher = watch(broker)
    script = f"""
import time
from edge.config import Mqtt
from edge.outputs.mqtt import MqttOutput
output = MqttOutput(Mqtt("localhost", {broker.port}, "kitchen"))
output.start()
time.sleep(60)
"""
    child = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[3])
    try:
        watcher.wait_for_payload(f"{TOPICS}/availability", "online")
    finally:
        child.kill()
        child.wait()
    watcher.wait_for_payload(f"{TOPICS}/availability", "offline")
