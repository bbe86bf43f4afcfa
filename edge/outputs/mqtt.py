"""Answers published to an MQTT broker, with discovery messages for Home Assistant.

Three topics, all retained: TOPIC/NAME/state is the label or the state, TOPIC/NAME/attributes the whole answer as JSON,
and TOPIC/NAME/availability is `online` or `offline`.
"""

import hashlib
import json
import os
import re
import socket
import ssl
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.answer import Answer
from edge.config import Mqtt
from edge.errors import UsageError
from edge.outage import FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS, Outage, describe_os_error
from edge.stats import Stats
from edge.version import version

if TYPE_CHECKING:  # paho-mqtt is an extra of this package
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

PORT, TLS_PORT = 1883, 8883
REFRESH_SECONDS = 5.0  # between messages while the state and label stay the same
STEADY_SECONDS = 5.0  # of connection, after which an outage is over: a broker may accept and hang up again and again
KEEPALIVE_SECONDS = 30  # the connection counts as lost after one and a half times as long without a packet
CLOSE_SECONDS = 2.0
PASSWORD_VARIABLE = "EDGE_LISTEN_MQTT_PASSWORD"
CREDENTIAL = "mqtt-password"  # file name in systemd's directory of credentials
MAX_PASSWORD_BYTES = 65_535  # MQTT's limit
ONLINE, OFFLINE = "online", "offline"  # Home Assistant's own status messages are the same
# Without `t`, which changes with every message: Home Assistant's database would store a row for each.
ATTRIBUTES = "{{ dict(value_json.items() | rejectattr(0, 'eq', 't')) | tojson }}"


class MqttOutput:
    """Publishes to a broker. paho's thread connects, and reconnects for as long as it takes.

    Everything is sent at QoS 0: messages that a broker missed are stale, and a new connection starts with the latest
    answer.

    Parameters
    ----------
    settings
        Broker, topics and credentials.

    Raises
    ------
    UsageError
        If the password or a certificate can't be read, the host name is invalid, or paho-mqtt is not installed.
    """

    name = "MQTT"

    def __init__(self, settings: Mqtt) -> None:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise UsageError("[mqtt] needs paho-mqtt: pip install 'edge-listen[mqtt]'") from None
        try:
            settings.host.encode("idna")
        except UnicodeError:  # it would end paho's thread
            raise UsageError(f"[mqtt] host {settings.host!r:.60}: invalid host name") from None
        self._device = settings.name or socket.gethostname()
        self._id = object_id(self._device)
        self._topics = f"{settings.topic}/{self._device}"
        self._discovery = settings.discovery
        port = settings.port or (TLS_PORT if settings.tls else PORT)
        self._outage = Outage(f"MQTT broker {settings.host}:{port}")
        # Guards all below, which paho's thread and the main loop share. Reentrant: while paho has no thread, `publish`
        # sends in the calling thread, which may call back before it returns.
        self._lock = threading.RLock()
        self._latest: tuple[Answer, Stats] | None = None
        self._state_text: str | None = None  # as last published
        self._due = 0.0  # time to publish the same again
        self._connected_at: float | None = None
        self._closed = False
        # The same client id every time: a broker that still holds a connection from before a break would otherwise
        # declare this device offline after it has reconnected.
        self._client: Client = Client(CallbackAPIVersion.VERSION2, client_id=self._id)
        _set_credentials(self._client, settings)
        self._client.will_set(f"{self._topics}/availability", OFFLINE, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        # paho does what edge.backoff does: it doubles its pause.
        self._client.reconnect_delay_set(FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS)
        self._client.connect_async(settings.host, port, KEEPALIVE_SECONDS)

    def start(self) -> None:
        """Connect in the background."""
        self._client.loop_start()

    def show(self, answer: Answer, stats: Stats) -> None:
        """Publish at once if the state or label has changed, otherwise every `REFRESH_SECONDS`."""
        now = time.monotonic()
        with self._lock:
            self._latest = answer, stats
            if _state_text(answer) == self._state_text and now < self._due:
                return
            self._state_text, self._due = _state_text(answer), now + REFRESH_SECONDS
            self._client.loop_start()  # does nothing, unless malformed packets of a broker have ended paho's thread
            if self._connected_at is not None:
                self._publish_answer()
                if now > self._connected_at + STEADY_SECONDS:
                    self._outage.worked()

    def close(self) -> None:
        """Publish `offline` and disconnect, within `CLOSE_SECONDS`."""
        with self._lock:
            self._closed = True
            if self._connected_at is not None:
                self._publish(f"{self._topics}/availability", OFFLINE)
            self._client.disconnect()
        # loop_stop waits for paho's thread, which may be waiting for a name server: both are left behind then.
        stop = threading.Thread(target=self._client.loop_stop, daemon=True)
        stop.start()
        stop.join(CLOSE_SECONDS)

    def _publish_answer(self) -> None:
        if self._latest is None:
            return
        answer, stats = self._latest
        # The state comes last: an automation that it triggers finds the attributes that belong to it.
        self._publish(f"{self._topics}/attributes", json.dumps(_attributes(answer, stats)))
        self._publish(f"{self._topics}/state", _state_text(answer))

    def _publish_discovery(self) -> None:
        if self._discovery:
            for topic, payload in discovery_messages(self._discovery, self._topics, self._device, self._id).items():
                self._publish(topic, json.dumps(payload))

    def _publish(self, topic: str, payload: str) -> None:
        self._client.publish(topic, payload, retain=True)

    def _on_connect(
        self,
        client: "Client",
        userdata: object,
        flags: "ConnectFlags",
        reason: "ReasonCode",
        properties: "Properties | None",
    ) -> None:
        with self._lock:
            if self._closed:
                client.disconnect()
            elif reason.is_failure:
                self._outage.failed(str(reason).lower())
            else:
                self._connected_at = time.monotonic()
                if self._discovery:
                    client.subscribe(f"{self._discovery}/status")
                self._publish_discovery()
                self._publish_answer()
                self._publish(f"{self._topics}/availability", ONLINE)

    def _on_connect_fail(self, client: "Client", userdata: object) -> None:
        error = sys.exception()  # paho calls this inside its except clause and doesn't pass the exception
        with self._lock:
            self._outage.failed(_describe_error(error) if isinstance(error, OSError) else "no connection")

    def _on_disconnect(
        self,
        client: "Client",
        userdata: object,
        flags: "DisconnectFlags",
        reason: "ReasonCode",
        properties: "Properties | None",
    ) -> None:
        with self._lock:
            if not self._closed:
                was_connected = self._connected_at is not None
                self._outage.failed(
                    "connection lost" if was_connected else "no reply (is the port right, and the setting tls?)"
                )
            self._connected_at = None

    def _on_message(self, client: "Client", userdata: object, message: "MQTTMessage") -> None:
        if message.payload == ONLINE.encode():  # Home Assistant has started
            with self._lock:
                self._publish_discovery()


def object_id(name: str) -> str:
    """An id from a name in characters that Home Assistant and every broker accept; different names give different ids.

    Examples
    --------
    >>> object_id("kitchen")
    'edge-listen-kitchen'
    >>> object_id("Küche")
    'edge-listen-K_che_a9ec872e'
    """
    plain = re.sub(r"[^a-zA-Z0-9_-]+", "_", name)
    if plain != name:
        plain += "_" + hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"edge-listen-{plain}"


def discovery_messages(discovery: str, topics: str, name: str, identifier: str) -> dict[str, dict[str, Any]]:
    """Home Assistant's discovery messages by topic: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery.

    Parameters
    ----------
    discovery
        Prefix of the discovery topics.
    topics
        Prefix of the topics of this device.
    name
        Name of this device.
    identifier
        Its `object_id`.
    """
    common = {
        "availability_topic": f"{topics}/availability",
        "device": {
            "identifiers": [identifier],
            "name": name,
            "manufacturer": "edge-listen",
            "model": "edge-listen",
            "sw_version": version(),
        },
        "origin": {"name": "edge-listen", "sw_version": version()},
    }
    playing = {
        "name": "Music",
        "icon": "mdi:music",
        "state_topic": f"{topics}/state",
        "json_attributes_topic": f"{topics}/attributes",
        "json_attributes_template": ATTRIBUTES,
    }
    confidence = {
        "name": "Confidence",
        "icon": "mdi:gauge",
        "state_topic": f"{topics}/attributes",
        "value_template": "{{ (100 * value_json.confidence) | round | int }}",
        "unit_of_measurement": "%",
        "state_class": "measurement",
        "entity_category": "diagnostic",
    }
    return {
        f"{discovery}/sensor/{identifier}/{key}/config": {"unique_id": f"{identifier}-{key}", **entity, **common}
        for key, entity in (("playing", playing), ("confidence", confidence))
    }


def _state_text(answer: Answer) -> str:
    return answer.label or answer.state


def _attributes(answer: Answer, stats: Stats) -> dict[str, object]:
    return {
        "lost": 0.0,
        "note": None,
        **answer.to_dict(len(answer.top)),
        "device": stats.device,
        "overruns": stats.overruns,
        "reconnects": stats.reconnects,
    }


def _set_credentials(client: "Client", settings: Mqtt) -> None:
    password = _password(settings)
    if password is not None and settings.username is None:
        raise UsageError("[mqtt] has a password but no username")
    client.username_pw_set(settings.username, password)  # type: ignore[arg-type]  # it takes bytes, too
    if settings.ca_file is not None and not settings.tls:
        raise UsageError("[mqtt] has a ca-file but not tls = true")
    if settings.tls:
        try:
            client.tls_set_context(ssl.create_default_context(cafile=settings.ca_file))
        except OSError as error:
            raise UsageError(f"{settings.ca_file}: {_describe_error(error)}") from None


def _password(settings: Mqtt) -> bytes | None:
    """The password from the configured file, the environment, or systemd's credentials, in this order."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if settings.password_file is not None:
        path = Path(settings.password_file)
    elif text := os.environ.get(PASSWORD_VARIABLE):
        return os.fsencode(text)
    elif credentials and Path(credentials, CREDENTIAL).exists():
        path = Path(credentials, CREDENTIAL)
    else:
        return None
    try:
        with path.open("rb") as file:
            password = file.readline(MAX_PASSWORD_BYTES).strip()
    except OSError as error:
        raise UsageError(f"{path}: {describe_os_error(error)}") from None
    if not password:
        raise UsageError(f"{path}: the first line has no password")
    return password


def _describe_error(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"TLS failed ({error.reason.lower().replace('_', ' ')})"
    return describe_os_error(error)
