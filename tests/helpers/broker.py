"""A mosquitto broker, a client that watches it, and certificates for it."""

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from helpers.support import wait_for
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.answer import Answer
from edge.outputs.mqtt import MqttOutput

USER, PASSWORD = "listener", "correct horse"
TOPICS = "edge-listen/kitchen"
ROCK = Answer(12.5, "music", "rock", 0.87654, (("rock", 0.87654), ("jazz", 0.1)), lost=0.25)
SILENCE = Answer(20.0, "silence")


class Broker:
    """A mosquitto on a free port, which it keeps over restarts; it loses its messages when it ends."""

    def __init__(self, directory: Path, *options: str) -> None:
        for program in ("mosquitto", "mosquitto_passwd", "openssl"):
            assert shutil.which(program), f"{program} is missing: apt install mosquitto openssl"
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = int(listener.getsockname()[1])
        self._config = directory / "mosquitto.conf"
        # If root runs the tests, mosquitto would switch to a user who can't read their files.
        lines = ["user root", f"listener {self.port} localhost", "persistence false", "log_dest none", *options]
        self._config.write_text("\n".join(lines) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log_name(self) -> str:
        """The broker as log lines name it."""
        return f"MQTT broker localhost:{self.port}"

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        self.process = subprocess.Popen(["mosquitto", "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_for(lambda: accepts(self.port))

    def kill(self) -> None:
        """Kill it if it runs."""
        if self.process is not None:
            self.process.kill()  # works on a stopped one, too
            self.process.wait()
            self.process = None


class Watcher:
    """Another client: the current payload of each topic, and every payload since it connected."""

    def __init__(self, broker: Broker, ca: Path | None = None) -> None:
        self.now: dict[str, str] = {}
        self.all: list[tuple[str, str]] = []
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(USER, PASSWORD)
        if ca:
            self.client.tls_set(str(ca))
        self.client.on_message = self._on_message
        self.client.on_connect = lambda client, *_: client.subscribe("#")
        self.client.connect("localhost", broker.port)
        self.client.loop_start()

    def _on_message(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        payload = message.payload.decode(errors="replace")
        self.now[message.topic] = payload
        self.all.append((message.topic, payload))

    def wait_for_payload(self, topic: str, payload: str) -> None:
        """Wait until it is the topic's current payload."""
        wait_for(lambda: self.now.get(topic) == payload)

    def discovery_messages(self) -> int:
        """The number of Home Assistant's discovery messages."""
        return sum(topic.endswith("/config") for topic, _ in self.all)

    def close(self) -> None:
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()


Watch = Callable[..., Watcher]
MakeOutput = Callable[..., MqttOutput]


def accepts(port: int) -> bool:
    """True if something on this machine accepts connections at the port."""
    try:
        socket.create_connection(("localhost", port), timeout=5).close()
    except OSError:
        return False
    return True


def make_certificates(folder: Path) -> None:
    """Make ca.crt, and localhost.crt, which is signed by it, with localhost.key."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    ca = ["-subj", "/CN=test CA", "-addext", "keyUsage=critical,keyCertSign"]
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "ca.key", "-out", "ca.crt", *ca)
    subject = ["-subj", "/CN=localhost", "-keyout", "localhost.key", "-out", "localhost.csr"]
    openssl("req", "-newkey", "rsa:2048", "-nodes", *subject)
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    openssl("x509", "-req", "-in", "localhost.csr", "-out", "localhost.crt", *sign)
