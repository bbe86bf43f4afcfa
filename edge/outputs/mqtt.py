"""What is playing, told to an MQTT broker, and to Home Assistant through it.

Three topics, all retained: TOPIC/NAME/state is a word, TOPIC/NAME/attributes the whole answer as JSON, and
TOPIC/NAME/availability is `online` or `offline`.
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
from edge.outage import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, Outage, describe_os_error
from edge.stats import Stats
from edge.version import version

if TYPE_CHECKING:  # an extra of this package
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

PORT, TLS_PORT = 1883, 8883
REFRESH_SECONDS = 5.0  # between messages while what plays stays the same
STEADY_SECONDS = 5.0  # a connection is back when it has lasted so long: a broker may accept and hang up for ever
KEEPALIVE_SECONDS = 30  # a broker that is silent for this long, and half as long again, is gone
CLOSE_SECONDS = 2.0
PASSWORD_VARIABLE = "EDGE_LISTEN_MQTT_PASSWORD"
CREDENTIAL = "mqtt-password"  # the file's name in systemd's directory of credentials
LONGEST_PASSWORD = 65_535  # bytes, MQTT's limit
ONLINE, OFFLINE = "online", "offline"  # Home Assistant's own words, too
# `t` changes with every message: in Home Assistant's database it would make a row of each.
ATTRIBUTES = "{{ dict(value_json.items() | rejectattr(0, 'eq', 't')) | tojson }}"


class MqttOutput:
    """Tells a broker. paho's thread connects, and connects again for as long as it takes.

    Everything is sent at QoS 0: what was said to a broker that was gone is stale, and a new connection starts with the
    newest answer. Raise UsageError for a password or a certificate that can't be read, for a host that can't be one,
    and without paho-mqtt.
    """

    def __init__(self, settings: Mqtt) -> None:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise UsageError("[mqtt] needs paho-mqtt: pip install 'edge-listen[mqtt]'") from None
        try:
            settings.host.encode("idna")
        except UnicodeError:  # it would end paho's thread
            raise UsageError(f"[mqtt] host {settings.host!r:.60}: no name of a host") from None
        self._name = settings.name or socket.gethostname()
        self._id = object_id(self._name)
        self._topics = f"{settings.topic}/{self._name}"
        self._discovery = settings.discovery
        port = settings.port or (TLS_PORT if settings.tls else PORT)
        self._outage = Outage(f"MQTT broker {settings.host}:{port}")
        # Of all below, which paho's thread and the listener's share. Reentrant: while paho has no thread, what is published
        # is sent at once, and calls back at once.
        self._lock = threading.RLock()
        self._newest: tuple[Answer, Stats] | None = None
        self._word: str | None = None  # what plays, as it was told
        self._due = 0.0  # when it is told again though it is the same
        self._connected_at: float | None = None
        self._closed = False
        # The same every time: a broker that still holds a connection from before a break would declare us offline
        # after we are back, if it didn't know that it was ours.
        self._client: Client = Client(CallbackAPIVersion.VERSION2, client_id=self._id)
        _sign_in(self._client, settings)
        self._client.will_set(f"{self._topics}/availability", OFFLINE, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        self._client.connect_async(settings.host, port, KEEPALIVE_SECONDS)

    def start(self) -> None:
        """Connect, sooner or later."""
        self._client.loop_start()

    def show(self, answer: Answer, stats: Stats) -> None:
        """A message at once if this is something new, else every REFRESH_SECONDS."""
        now = time.monotonic()
        with self._lock:
            self._newest = answer, stats
            if _word(answer) == self._word and now < self._due:
                return
            self._word, self._due = _word(answer), now + REFRESH_SECONDS
            self._client.loop_start()  # does nothing, unless a broker's nonsense has ended paho's thread
            if self._connected_at is not None:
                self._tell()
                if now > self._connected_at + STEADY_SECONDS:
                    self._outage.worked()

    def close(self) -> None:
        """Say goodbye, for CLOSE_SECONDS at most."""
        with self._lock:
            self._closed = True
            if self._connected_at is not None:
                self._publish(f"{self._topics}/availability", OFFLINE)
            self._client.disconnect()
        # It waits for paho's thread, which may be waiting for a name server: both are left behind then.
        stop = threading.Thread(target=self._client.loop_stop, daemon=True)
        stop.start()
        stop.join(CLOSE_SECONDS)

    def _tell(self) -> None:
        if self._newest is None:
            return
        answer, stats = self._newest
        # The state comes last: an automation that it starts finds the attributes that belong to it.
        self._publish(f"{self._topics}/attributes", json.dumps(_attributes(answer, stats)))
        self._publish(f"{self._topics}/state", _word(answer))

    def _announce(self) -> None:
        if self._discovery:
            for topic, payload in announcements(self._discovery, self._topics, self._name, self._id).items():
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
                self._announce()
                self._tell()
                self._publish(f"{self._topics}/availability", ONLINE)

    def _on_connect_fail(self, client: "Client", userdata: object) -> None:
        error = sys.exception()  # paho calls this where it has caught it, and doesn't hand it over
        with self._lock:
            self._outage.failed(_words(error) if isinstance(error, OSError) else "no connection")

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
                    "connection lost" if was_connected else "no answer; is this its port, and is tls right"
                )
            self._connected_at = None

    def _on_message(self, client: "Client", userdata: object, message: "MQTTMessage") -> None:
        if message.payload == ONLINE.encode():  # Home Assistant has started
            with self._lock:
                self._announce()


def object_id(name: str) -> str:
    """`name` in the characters that Home Assistant and every broker take for an id, different for different names."""
    plain = re.sub(r"[^a-zA-Z0-9_-]+", "_", name)
    if plain != name:
        plain += "_" + hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"edge-listen-{plain}"


def announcements(discovery: str, topics: str, name: str, identifier: str) -> dict[str, dict[str, Any]]:
    """Home Assistant's discovery messages by topic: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery."""
    both = {
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
        f"{discovery}/sensor/{identifier}/{key}/config": {"unique_id": f"{identifier}-{key}", **entity, **both}
        for key, entity in (("playing", playing), ("confidence", confidence))
    }


def _word(answer: Answer) -> str:
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


def _sign_in(client: "Client", settings: Mqtt) -> None:
    password = _password(settings)
    if password is not None and settings.username is None:
        raise UsageError("[mqtt] has a password, but no username")
    client.username_pw_set(settings.username, password)  # type: ignore[arg-type]  # bytes are fine, says its code
    if settings.ca_file is not None and not settings.tls:
        raise UsageError("[mqtt] has a ca-file, but not tls = true")
    if settings.tls:
        try:
            client.tls_set_context(ssl.create_default_context(cafile=settings.ca_file))
        except OSError as error:
            raise UsageError(f"{settings.ca_file}: {_words(error)}") from None


def _password(settings: Mqtt) -> bytes | None:
    """From the file of the settings, else from the environment, else from systemd."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if settings.password_file is not None:
        path = Path(settings.password_file)
    elif word := os.environ.get(PASSWORD_VARIABLE):
        return os.fsencode(word)
    elif credentials and Path(credentials, CREDENTIAL).exists():
        path = Path(credentials, CREDENTIAL)
    else:
        return None
    try:
        with path.open("rb") as file:
            password = file.readline(LONGEST_PASSWORD).strip()
    except OSError as error:
        raise UsageError(f"{path}: {describe_os_error(error)}") from None
    if not password:
        raise UsageError(f"{path}: no password in its first line")
    return password


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate can't be trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"no TLS ({error.reason.lower().replace('_', ' ')})"
    return describe_os_error(error)
