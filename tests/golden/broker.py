"""A real MQTT broker, and a subscriber to everything that is published there."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from golden.commands import DEADLINE_SECONDS
from helpers.support import wait_for
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion


class Broker:
    """A mosquitto on a free port; it keeps nothing when it ends."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        assert program, "mosquitto is missing: apt install mosquitto"
        self.port = free_port()
        config = folder / "mosquitto.conf"
        # As root, mosquitto would become another user, who may not read the tests' files.
        lines = ["user root", f"listener {self.port} localhost", "allow_anonymous true", "persistence false"]
        config.write_text("\n".join([*lines, "log_dest none"]) + "\n")
        self._process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        wait_for(self._accepts)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("localhost", self.port), timeout=5).close()
        except OSError:
            return False
        return True


class Subscriber:
    """Collects every message from the moment that it is made; retained ones come first."""

    def __init__(self, broker: Broker) -> None:
        self.messages: list[MQTTMessage] = []
        self._arrived = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe("#")
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("localhost", broker.port)
        self._client.loop_start()
        assert subscribed.wait(DEADLINE_SECONDS), "the broker does not answer"

    def publish(self, topic: str, payload: str) -> None:
        """Send a message of its own."""
        self._client.publish(topic, payload)

    def wait_for(self, topic: str, payload: str) -> None:
        """Return when such a message has come, or has come before."""
        self.wait_for_count(lambda message: (message.topic, message.payload.decode()) == (topic, payload), 1)

    def wait_for_count(self, condition: Callable[[MQTTMessage], bool], count: int) -> None:
        """Return when so many messages have come for which the condition holds."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: sum(map(condition, self.messages)) >= count, DEADLINE_SECONDS)
        assert came, f"not seen: {[(m.topic, m.payload) for m in self.messages]}"

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def free_port() -> int:
    """A TCP port of this machine that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
