"""The MQTT output while the broker is absent, restarts, hangs up or says nothing."""

import logging
import signal
import socket
import threading
import time

import pytest
from helpers.broker import ROCK, SILENCE, TOPICS, Broker, MakeOutput, Watch, Watcher
from helpers.support import wait_for
from paho.mqtt.client import Client

from edge.answer import Answer
from edge.config import Mqtt
from edge.outputs.mqtt import MqttOutput
from edge.stats import Stats

pytestmark = pytest.mark.broker


def test_a_broker_that_starts_later_gets_the_latest_answer_only(
    broker: Broker, watch: Watch, make: MakeOutput, log: pytest.LogCaptureFixture
) -> None:
    output = make(broker)
    wait_for(lambda: bool(log.messages))
    for i in range(1000):
        output.show(Answer(0.5 * i, "music", f"old {i % 7}", 0.5), Stats())
    output.show(ROCK, Stats())
    broker.start()
    watcher = watch(broker)
    watcher.wait_for_payload(f"{TOPICS}/state", "rock")
    assert {payload for topic, payload in watcher.all if topic == f"{TOPICS}/state"} == {"rock"}
    assert log.messages == [f"{broker.log_name}: connection refused; trying again"]


@pytest.mark.slow
def test_a_restart_is_logged_once_and_everything_is_published_again(
    broker: Broker, watch: Watch, make: MakeOutput, log: pytest.LogCaptureFixture
) -> None:
    broker.start()
    output = make(broker)
    output.show(ROCK, Stats())
    watch(broker).wait_for_payload(f"{TOPICS}/state", "rock")
    broker.kill()
    wait_for(lambda: bool(log.messages))
    output.show(SILENCE, Stats())
    broker.start()
    watcher = watch(broker)
    watcher.wait_for_payload(f"{TOPICS}/state", "silence")
    watcher.wait_for_payload(f"{TOPICS}/availability", "online")
    wait_for(lambda: watcher.discovery_messages() == 2)

    def is_logged() -> bool:
        output.show(SILENCE, Stats())
        return len(log.messages) > 1

    wait_for(is_logged)
    name = broker.log_name
    assert log.messages == [f"{name}: connection lost; trying again", f"{name}: works again"]
    assert [record.levelno for record in log.records] == [logging.WARNING, logging.INFO]


def test_a_connection_that_does_not_last_does_not_end_the_outage(log: pytest.LogCaptureFixture) -> None:
    # Brokers do this when two devices have the same name: each connection ends the other's.
    connections = []

    def accept_and_hang_up(listener: socket.socket) -> None:
        while len(connections) < 4:
            connection, _ = listener.accept()
            received = connection.recv(1000)
            connection.sendall(b"\x20\x02\0\0")  # CONNACK: accepted
            while received.count(b"kitchen/state") < 3:  # one on connection, and some from `show`
                received += connection.recv(1000)
            connection.close()
            connections.append(time.monotonic())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept_and_hang_up, args=[listener], daemon=True).start()
        output = MqttOutput(Mqtt("127.0.0.1", listener.getsockname()[1], "kitchen"))
        output.start()

        def four_connections() -> bool:
            output.show(Answer(time.monotonic(), "music", f"label {time.monotonic()}", 0.5), Stats())
            return len(connections) == 4

        wait_for(four_connections)
        output.close()
    assert len(log.messages) == 1
    assert log.messages[0].endswith(": connection lost; trying again")


def test_an_unknown_host_is_logged_once(make: MakeOutput, broker: Broker, log: pytest.LogCaptureFixture) -> None:
    output = make(broker, host="no-such-host.invalid", port=None)
    wait_for(lambda: bool(log.messages))
    output.show(ROCK, Stats())
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < 3
    assert len(log.messages) == 1
    assert "MQTT broker no-such-host.invalid:1883: " in log.messages[0]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_closing_does_not_wait_for_a_dead_or_stopped_broker(
    end: signal.Signals, broker: Broker, connected: tuple[MqttOutput, Watcher]
) -> None:
    output, _ = connected
    assert broker.process is not None
    broker.process.send_signal(end)
    output.show(ROCK, Stats())
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < 3


def test_neither_answers_nor_closing_wait_for_a_silent_broker(make: MakeOutput) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        output = MqttOutput(Mqtt("127.0.0.1", silent.getsockname()[1], "kitchen", tls=True))
        output.start()
        connection, _ = silent.accept()
        began = time.monotonic()
        for i in range(1000):
            output.show(Answer(0.5 * i, "music", f"label {i}", 0.5), Stats())
        assert time.monotonic() - began < 1
        output.close()
        assert time.monotonic() - began < 4
        connection.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_output_survives_an_exception_in_pahos_thread(
    connected: tuple[MqttOutput, Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    output, watcher = connected
    read = Client.loop_read
    faults = [ValueError("nonsense")]

    def faulty_read(client: Client, *arguments: int) -> object:
        if faults and client is not watcher.client:
            raise faults.pop()
        return read(client, *arguments)

    monkeypatch.setattr(Client, "loop_read", faulty_read)
    watcher.client.publish("homeassistant/status", "hello")
    wait_for(lambda: not faults)
    output.show(ROCK, Stats())
    watcher.wait_for_payload(f"{TOPICS}/state", "rock")
    announced = watcher.discovery_messages()
    watcher.client.publish("homeassistant/status", "online")
    wait_for(lambda: watcher.discovery_messages() > announced)
    output.close()
    watcher.wait_for_payload(f"{TOPICS}/availability", "offline")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_closing_does_not_wait_for_a_thread_that_has_ended(
    connected: tuple[MqttOutput, Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    output, watcher = connected
    monkeypatch.setattr(Client, "loop_misc", lambda client: 1 / 0)
    watcher.client.publish("homeassistant/status", "hello")
    wait_for(lambda: not any(t.name.startswith("paho") and t.is_alive() for t in threading.enumerate()))
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < 3
