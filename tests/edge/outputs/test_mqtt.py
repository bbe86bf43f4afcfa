"""A real mosquitto, with the failures that a broker has in a year."""

import itertools
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from helpers.support import wait_for

from edge.config import Mqtt
from edge.answer import Answer
from edge.errors import UsageError
from edge.stats import Stats
from edge.outputs.mqtt import CLOSE_SECONDS, PASSWORD_VARIABLE, REFRESH_SECONDS, MqttOutput, object_id

DEADLINE_SECONDS = 60.0
USER, PASSWORD = "listener", "correct horse"
TOPICS = "edge-listen/kitchen"
ROCK = Answer(12.5, "music", "rock", 0.87654, (("rock", 0.87654), ("jazz", 0.1)), lost=0.25)
SILENCE = Answer(20.0, "silence")
Make = Callable[..., MqttOutput]


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), timeout=5).close()
    except OSError:
        return False
    return True


class Broker:
    """A mosquitto of our own on a free port, which stays its own over restarts; it keeps nothing when it ends."""

    def __init__(self, directory: Path, *options: str) -> None:
        for program in ("mosquitto", "mosquitto_passwd", "openssl"):
            assert shutil.which(program), f"{program} is missing: apt install mosquitto openssl"
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = int(listener.getsockname()[1])
        self._config = directory / "mosquitto.conf"
        # Where root runs the tests mosquitto would become somebody else, who can't read their files.
        lines = ["user root", f"listener {self.port} localhost", "persistence false", "log_dest none", *options]
        self._config.write_text("\n".join(lines) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(["mosquitto", "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_for(lambda: accepts(self.port))

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()  # works on a stopped one, too
            self.process.wait()
            self.process = None


class Watcher:
    """Somebody else at the broker: what there is by topic now, and every payload there was."""

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
        words = message.payload.decode(errors="replace")
        self.now[message.topic] = words
        self.all.append((message.topic, words))

    def sees(self, topic: str, payload: str) -> None:
        wait_for(lambda: self.now.get(topic) == payload)

    def announcements(self) -> int:
        return sum(topic.endswith("/config") for topic, _ in self.all)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(autouse=True)
def no_password_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (PASSWORD_VARIABLE, "CREDENTIALS_DIRECTORY"):
        if name in os.environ:
            monkeypatch.delenv(name)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path, "allow_anonymous true")
    yield broker
    broker.kill()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Broker]:
    """A broker that wants USER and PASSWORD."""
    words = tmp_path / "passwords"
    words.touch()
    subprocess.run(["mosquitto_passwd", "-b", str(words), USER, PASSWORD], check=True)
    broker = Broker(tmp_path, "allow_anonymous false", f"password_file {words}")
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with ca.crt, and with localhost.crt, which is signed by it, and localhost.key."""
    path = tmp_path_factory.mktemp("certificates")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=path, check=True, capture_output=True)

    ca = ["-subj", "/CN=test CA", "-addext", "keyUsage=critical,keyCertSign"]
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "ca.key", "-out", "ca.crt", *ca)
    subject = ["-subj", "/CN=localhost", "-keyout", "localhost.key", "-out", "localhost.csr"]
    openssl("req", "-newkey", "rsa:2048", "-nodes", *subject)
    (path / "names").write_text("subjectAltName=DNS:localhost")
    sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    openssl("x509", "-req", "-in", "localhost.csr", "-out", "localhost.crt", *sign)
    return path


@pytest.fixture
def tls_broker(tmp_path: Path, certificates: Path) -> Iterator[Broker]:
    files = [f"certfile {certificates}/localhost.crt", f"keyfile {certificates}/localhost.key"]
    broker = Broker(tmp_path, "allow_anonymous true", *files)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def watch() -> Iterator[Callable[..., Watcher]]:
    watchers: list[Watcher] = []

    def watch(*words: object, **options: object) -> Watcher:
        watchers.append(Watcher(*words, **options))  # type: ignore[arg-type]
        return watchers[-1]

    yield watch
    for watcher in watchers:
        watcher.close()


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes an output called "kitchen", which is closed in the end."""
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
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "edge")
    return caplog


def broker_name(broker: Broker) -> str:
    return f"MQTT broker localhost:{broker.port}"


def test_what_plays_is_there_for_whoever_comes_later(broker: Broker, watch: Callable[..., Watcher], make: Make) -> None:
    broker.start()
    output = make(broker)
    first = watch(broker)
    output.show(ROCK, Stats("hw:1 (USB Audio)", overruns=2, reconnects=1))
    first.sees(f"{TOPICS}/state", "rock")
    later = watch(broker)
    later.sees(f"{TOPICS}/state", "rock")
    later.sees(f"{TOPICS}/availability", "online")
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


def test_what_plays_no_label_is_the_name_of_the_state(
    broker: Broker, watch: Callable[..., Watcher], make: Make
) -> None:
    broker.start()
    make(broker).show(SILENCE, Stats())
    watch(broker).sees(f"{TOPICS}/state", "silence")


def test_a_change_is_told_at_once_and_the_same_only_now_and_then(
    broker: Broker, watch: Callable[..., Watcher], make: Make
) -> None:
    broker.start()
    watcher = watch(broker)
    output = make(broker)
    watcher.sees(f"{TOPICS}/availability", "online")
    began = time.monotonic()
    answers = 0
    while time.monotonic() - began < 2.2 * REFRESH_SECONDS:
        output.show(ROCK, Stats())
        answers += 1
        time.sleep(0.01)
    lasted = time.monotonic() - began
    output.show(SILENCE, Stats())
    watcher.sees(f"{TOPICS}/state", "silence")
    states = [payload for topic, payload in watcher.all if topic == f"{TOPICS}/state"]
    assert answers > 20
    assert 2 <= states.count("rock") <= 1 + lasted / REFRESH_SECONDS
    assert states.count("silence") == 1


def test_home_assistant_finds_the_sensors(broker: Broker, watch: Callable[..., Watcher], make: Make) -> None:
    broker.start()
    make(broker).show(ROCK, Stats())
    watcher = watch(broker)
    announced = [f"homeassistant/sensor/edge-listen-kitchen/{key}/config" for key in ("playing", "confidence")]
    wait_for(lambda: {*announced, f"{TOPICS}/attributes"} <= watcher.now.keys())
    entities = [json.loads(watcher.now[topic]) for topic in announced]
    assert [e["state_topic"] for e in entities] == [f"{TOPICS}/state", f"{TOPICS}/attributes"]
    assert entities[0]["json_attributes_topic"] == f"{TOPICS}/attributes"
    assert {e["availability_topic"] for e in entities} == {f"{TOPICS}/availability"}
    assert len({e["unique_id"] for e in entities}) == 2
    for entity in entities:
        assert entity["device"]["identifiers"] == ["edge-listen-kitchen"]
        assert entity["device"]["name"] == "kitchen"
        assert entity["device"]["sw_version"]


def test_home_assistant_is_told_again_when_it_starts(broker: Broker, watch: Callable[..., Watcher], make: Make) -> None:
    broker.start()
    watcher = watch(broker)
    make(broker)
    watcher.sees(f"{TOPICS}/availability", "online")

    wait_for(lambda: watcher.announcements() == 2)
    watcher.client.publish("homeassistant/status", "offline")
    watcher.client.publish("homeassistant/status", "online")
    wait_for(lambda: watcher.announcements() == 4)


def test_without_discovery_nothing_is_announced(broker: Broker, watch: Callable[..., Watcher], make: Make) -> None:
    broker.start()
    watcher = watch(broker)
    make(broker, discovery="")
    watcher.sees(f"{TOPICS}/availability", "online")
    assert [topic for topic, _ in watcher.all] == [f"{TOPICS}/availability"]


@given(name=st.text(min_size=1), other=st.text(min_size=1))
def test_every_name_makes_an_id_of_its_own(name: str, other: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", object_id(name))
    assert (object_id(name) == object_id(other)) == (name == other)


@pytest.fixture
def connected(broker: Broker, watch: Callable[..., Watcher], make: Make) -> tuple[MqttOutput, Watcher]:
    broker.start()
    watcher = watch(broker)
    output = make(broker)
    watcher.sees(f"{TOPICS}/availability", "online")
    return output, watcher


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],  # an output that didn't survive one makes every other fail
)
@given(payload=st.binary(max_size=200), retain=st.booleans())
@example(payload=b"online", retain=True)
@example(payload=b"\xff\xfeonline\0", retain=True)
def test_any_bytes_in_home_assistants_place_are_survived(
    connected: tuple[MqttOutput, Watcher], payload: bytes, retain: bool
) -> None:
    output, watcher = connected
    announced = watcher.announcements()
    watcher.client.publish("homeassistant/status", payload, retain=retain)
    label = f"after {payload.hex()} {time.monotonic()}"
    output.show(Answer(1.0, "music", label, 0.5), Stats())
    watcher.sees(f"{TOPICS}/state", label)
    assert watcher.now[f"{TOPICS}/availability"] == "online"
    watcher.client.publish("homeassistant/status", "online")
    wait_for(lambda: watcher.announcements() > announced)


def test_a_clean_end_is_offline(connected: tuple[MqttOutput, Watcher], said: pytest.LogCaptureFixture) -> None:
    output, watcher = connected
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < CLOSE_SECONDS
    watcher.sees(f"{TOPICS}/availability", "offline")
    assert said.messages == []


def test_a_killed_process_is_offline(broker: Broker, watch: Callable[..., Watcher]) -> None:
    broker.start()
    watcher = watch(broker)
    script = f"""
import time
from edge.config import Mqtt
from edge.outputs.mqtt import MqttOutput
output = MqttOutput(Mqtt("localhost", {broker.port}, "kitchen"))
output.start()
time.sleep({DEADLINE_SECONDS})
"""
    child = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    try:
        watcher.sees(f"{TOPICS}/availability", "online")
    finally:
        child.kill()
        child.wait()
    watcher.sees(f"{TOPICS}/availability", "offline")


def test_a_broker_that_comes_later_gets_the_newest_answer_only(
    broker: Broker, watch: Callable[..., Watcher], make: Make, said: pytest.LogCaptureFixture
) -> None:
    output = make(broker)
    wait_for(lambda: bool(said.messages))
    for i in range(1000):
        output.show(Answer(0.5 * i, "music", f"old {i % 7}", 0.5), Stats())
    output.show(ROCK, Stats())
    broker.start()
    watcher = watch(broker)
    watcher.sees(f"{TOPICS}/state", "rock")
    assert {payload for topic, payload in watcher.all if topic == f"{TOPICS}/state"} == {"rock"}
    assert said.messages == [f"{broker_name(broker)}: connection refused; trying again"]


def test_a_broker_that_restarts_is_said_once_and_told_everything_again(
    broker: Broker, watch: Callable[..., Watcher], make: Make, said: pytest.LogCaptureFixture
) -> None:
    broker.start()
    output = make(broker)
    output.show(ROCK, Stats())
    watch(broker).sees(f"{TOPICS}/state", "rock")
    broker.kill()
    wait_for(lambda: bool(said.messages))
    output.show(SILENCE, Stats())
    broker.start()
    watcher = watch(broker)
    watcher.sees(f"{TOPICS}/state", "silence")
    watcher.sees(f"{TOPICS}/availability", "online")
    wait_for(lambda: watcher.announcements() == 2)

    def is_back() -> bool:
        output.show(SILENCE, Stats())
        return len(said.messages) > 1

    wait_for(is_back)
    name = broker_name(broker)
    assert said.messages == [f"{name}: connection lost; trying again", f"{name}: back"]
    assert [record.levelno for record in said.records] == [logging.WARNING, logging.INFO]


def test_a_connection_that_does_not_last_is_not_called_back(said: pytest.LogCaptureFixture) -> None:
    # So do brokers when two devices have one name: each one's arrival ends the other's connection.
    connections = []

    def welcome_and_hang_up(listener: socket.socket) -> None:
        while len(connections) < 4:
            connection, _ = listener.accept()
            received = connection.recv(1000)
            connection.sendall(b"\x20\x02\0\0")  # CONNACK: welcome
            while received.count(b"kitchen/state") < 3:  # one as it connects, and some as they are shown
                received += connection.recv(1000)
            connection.close()
            connections.append(time.monotonic())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=welcome_and_hang_up, args=[listener], daemon=True).start()
        output = MqttOutput(Mqtt("127.0.0.1", listener.getsockname()[1], "kitchen"))
        output.start()

        def four_came() -> bool:
            output.show(Answer(time.monotonic(), "music", f"label {time.monotonic()}", 0.5), Stats())
            return len(connections) == 4

        wait_for(four_came)
        output.close()
    assert len(said.messages) == 1
    assert said.messages[0].endswith(": connection lost; trying again")


def test_a_wrong_password_is_said_once_and_not_tried_all_the_time(
    guarded: Broker, make: Make, said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []
    connect = Client.reconnect
    monkeypatch.setattr(Client, "reconnect", lambda self: (attempts.append(time.monotonic()), connect(self))[1])
    monkeypatch.setenv(PASSWORD_VARIABLE, "wrong")
    output = make(guarded, username=USER)
    wait_for(lambda: len(attempts) == 4)
    output.show(ROCK, Stats())
    assert said.messages == [f"{broker_name(guarded)}: not authorized; trying again"]
    waits = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert waits[0] >= 1
    assert waits[1] >= 2
    assert waits[2] >= 4


@pytest.mark.parametrize("home", ["file", "environment", "systemd"])
def test_the_password_comes_from(
    home: str,
    guarded: Broker,
    make: Make,
    watch: Callable[..., Watcher],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "mqtt-password"
    path.write_text(f"{PASSWORD}\nanother line\n")
    options = {"username": USER}
    if home == "file":
        options["password_file"] = str(path)
        monkeypatch.setenv(PASSWORD_VARIABLE, "wrong")
    elif home == "environment":
        monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    else:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    make(guarded, **options).show(ROCK, Stats())
    watch(guarded).sees(f"{TOPICS}/state", "rock")


def test_tls_with_the_brokers_ca(
    tls_broker: Broker, certificates: Path, make: Make, watch: Callable[..., Watcher]
) -> None:
    ca = certificates / "ca.crt"
    make(tls_broker, tls=True, ca_file=str(ca)).show(ROCK, Stats())
    watch(tls_broker, ca).sees(f"{TOPICS}/state", "rock")


def test_tls_with_a_ca_that_this_machine_does_not_know_is_refused(
    tls_broker: Broker, make: Make, said: pytest.LogCaptureFixture
) -> None:
    make(tls_broker, tls=True)
    wait_for(lambda: bool(said.messages))
    assert said.messages[0].startswith(f"{broker_name(tls_broker)}: its certificate can't be trusted (")


def test_no_tls_where_the_broker_wants_it_is_said(
    tls_broker: Broker, make: Make, said: pytest.LogCaptureFixture
) -> None:
    make(tls_broker).show(ROCK, Stats())
    wait_for(lambda: bool(said.messages))
    assert said.messages[0].endswith(": no answer; is this its port, and is tls right; trying again")


def test_tls_where_the_broker_has_none_is_said(broker: Broker, make: Make, said: pytest.LogCaptureFixture) -> None:
    broker.start()
    make(broker, tls=True).show(ROCK, Stats())
    wait_for(lambda: bool(said.messages))
    assert said.messages[0].startswith(f"{broker_name(broker)}: ")


def test_a_host_that_nobody_knows_is_said_once(make: Make, broker: Broker, said: pytest.LogCaptureFixture) -> None:
    output = make(broker, host="no-such-host.invalid", port=None)
    wait_for(lambda: bool(said.messages))
    output.show(ROCK, Stats())
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < 3
    assert len(said.messages) == 1
    assert "MQTT broker no-such-host.invalid:1883: " in said.messages[0]


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP])
def test_the_end_does_not_wait_for_a_broker_that_is_gone(
    fate: signal.Signals, broker: Broker, connected: tuple[MqttOutput, Watcher]
) -> None:
    output, _ = connected
    assert broker.process is not None
    broker.process.send_signal(fate)
    output.show(ROCK, Stats())
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < 3


def test_neither_answers_nor_the_end_wait_for_a_broker_that_never_says_a_word(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        output = MqttOutput(Mqtt("127.0.0.1", mute.getsockname()[1], "kitchen", tls=True))
        output.start()
        connection, _ = mute.accept()
        began = time.monotonic()
        for i in range(1000):
            output.show(Answer(0.5 * i, "music", f"label {i}", 0.5), Stats())
        assert time.monotonic() - began < 1
        output.close()
        assert time.monotonic() - began < 4
        connection.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_that_ends_pahos_thread_is_not_the_end(
    connected: tuple[MqttOutput, Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    output, watcher = connected
    read = Client.loop_read
    faults = [ValueError("nonsense")]

    def faulty_read(client: Client, *words: int) -> object:
        if faults and client is not watcher.client:
            raise faults.pop()
        return read(client, *words)

    monkeypatch.setattr(Client, "loop_read", faulty_read)
    watcher.client.publish("homeassistant/status", "hello")
    wait_for(lambda: not faults)
    output.show(ROCK, Stats())
    watcher.sees(f"{TOPICS}/state", "rock")
    announced = watcher.announcements()
    watcher.client.publish("homeassistant/status", "online")
    wait_for(lambda: watcher.announcements() > announced)
    output.close()
    watcher.sees(f"{TOPICS}/availability", "offline")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_end_does_not_wait_for_a_thread_that_has_ended(
    connected: tuple[MqttOutput, Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    output, watcher = connected
    monkeypatch.setattr(Client, "loop_misc", lambda client: 1 / 0)
    watcher.client.publish("homeassistant/status", "hello")
    wait_for(lambda: not any(t.name.startswith("paho") and t.is_alive() for t in threading.enumerate()))
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < 3


def test_a_password_file_that_is_missing_or_empty_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "password"
    with pytest.raises(UsageError, match=re.escape(f"{path}: no such file or directory")):
        MqttOutput(Mqtt("localhost", username=USER, password_file=str(path)))
    path.touch()
    with pytest.raises(UsageError, match="no password in its first line"):
        MqttOutput(Mqtt("localhost", username=USER, password_file=str(path)))


def test_a_ca_file_that_is_missing_or_none_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    with pytest.raises(UsageError, match=re.escape(f"{path}: no such file or directory")):
        MqttOutput(Mqtt("localhost", tls=True, ca_file=str(path)))
    path.write_text("hello")
    with pytest.raises(UsageError, match=re.escape(str(path))):
        MqttOutput(Mqtt("localhost", tls=True, ca_file=str(path)))


def test_what_would_not_do_what_it_looks_like_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="not tls = true"):
        MqttOutput(Mqtt("localhost", ca_file=str(tmp_path)))
    with pytest.raises(UsageError, match="no name of a host"):
        MqttOutput(Mqtt("no..host"))
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with pytest.raises(UsageError, match="no username"):
        MqttOutput(Mqtt("localhost"))


def test_without_the_package_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with pytest.raises(UsageError, match=r"pip install 'edge-listen\[mqtt\]'"):
        MqttOutput(Mqtt("localhost"))
