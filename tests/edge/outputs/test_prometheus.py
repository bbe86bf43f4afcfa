"""Metrics as Prometheus fetches them: over HTTP."""

import logging
import socket
import struct
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from helpers.support import wait_for
from prometheus_client.parser import text_string_to_metric_families

from edge.answer import STATES, Answer
from edge.config import Prometheus
from edge.errors import UsageError
from edge.outputs.prometheus import CLOSE_SECONDS, PrometheusOutput, _TimeoutHandler
from edge.stats import Stats

DEADLINE_SECONDS = 60.0
Labels = dict[str, str]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Scrape:
    """The metrics that are served at a port now."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        with urllib.request.urlopen(f"http://{address}:{port}/metrics", timeout=DEADLINE_SECONDS) as response:
            self.text = response.read().decode()
        families = text_string_to_metric_families(self.text)
        self._samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        values = [s.value for s in self._samples if s.name == name and s.labels == labels]
        assert len(values) == 1, f"{name} {labels}: {values}"
        return values[0]

    def labels(self, name: str) -> list[Labels]:
        return [s.labels for s in self._samples if s.name == name]


def serves(port: int, address: str = "127.0.0.1") -> bool:
    try:
        Scrape(port, address)
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def output(port: int) -> Iterator[PrometheusOutput]:
    output = PrometheusOutput(Prometheus(port=port))
    output.start()
    wait_for(lambda: serves(port))
    yield output
    output.close()


def test_seconds_add_up_by_label_and_by_state(output: PrometheusOutput, port: int) -> None:
    answers = ["warming", "rock", "rock", "jazz", "silence", "rock", "lost"]
    for i, text in enumerate(answers, start=1):
        state, label = (text, None) if text in STATES else ("music", text)
        output.show(Answer(0.5 * i, state, label, 0.9), Stats())
    scrape = Scrape(port)
    assert scrape.value("edge_listen_label_seconds_total", label="rock") == 1.5
    assert scrape.value("edge_listen_label_seconds_total", label="jazz") == 0.5
    assert scrape.value("edge_listen_state_seconds_total", state="music") == 2.0
    assert sum(scrape.value("edge_listen_state_seconds_total", state=state) for state in STATES) == 3.5


def test_only_the_current_state_is_one(output: PrometheusOutput, port: int) -> None:
    for state in ("music", "silence", "other"):
        output.show(Answer(1.0, state), Stats())
    scrape = Scrape(port)
    assert {state: scrape.value("edge_listen_state", state=state) for state in STATES} == {
        state: float(state == "other") for state in STATES
    }


def test_the_listeners_counters_are_served(output: PrometheusOutput, port: int) -> None:
    stats = Stats("hw:1 (USB Audio)", overruns=2, reconnects=1, delay_seconds=0.03)
    output.show(Answer(1.0, "music", "rock", 0.75, lost=0.25), stats)
    stats.overruns = 5
    output.show(Answer(1.5, "music", "rock", 0.5, lost=0.75), stats)
    scrape = Scrape(port)
    assert scrape.value("edge_listen_overruns_total") == 5
    assert scrape.value("edge_listen_reconnects_total") == 1
    assert scrape.value("edge_listen_lost_seconds_total") == 0.75
    assert scrape.value("edge_listen_confidence") == 0.5
    assert scrape.value("edge_listen_delay_seconds_bucket", le="0.02") == 0
    assert scrape.value("edge_listen_delay_seconds_bucket", le="0.05") == 2
    (info,) = scrape.labels("edge_listen_info")
    assert info["device"] == "hw:1 (USB Audio)"
    assert info["version"]


def test_a_file_name_that_is_not_utf8_can_be_served(output: PrometheusOutput, port: int) -> None:
    output.show(Answer(0.5, "warming"), Stats("\udcff.wav"))
    (labels,) = Scrape(port).labels("edge_listen_info")
    assert labels["device"] == "?.wav"


def test_lost_time_has_no_delay(output: PrometheusOutput, port: int) -> None:
    output.show(Answer(1.0, "lost"), Stats(delay_seconds=0.03))
    assert Scrape(port).value("edge_listen_delay_seconds_count") == 0


def test_two_outputs_have_separate_metrics(output: PrometheusOutput, port: int) -> None:
    other_port = free_port()
    other = PrometheusOutput(Prometheus(port=other_port))
    other.start()
    output.show(Answer(1.0, "music", "rock", 0.9), Stats())
    wait_for(lambda: serves(other_port))
    assert Scrape(other_port).value("edge_listen_state_seconds_total", state="music") == 0
    other.close()


def test_only_this_machine_has_access_by_default(output: PrometheusOutput, port: int) -> None:
    # All of 127/8 is this machine: a server on every address would answer at 127.0.0.2, too.
    assert serves(port, "127.0.0.1")
    assert not serves(port, "127.0.0.2")


@pytest.mark.slow
def test_a_taken_port_is_logged_once_and_used_when_it_is_free(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "edge")
    taken = socket.create_server(("127.0.0.1", port))
    output = PrometheusOutput(Prometheus(port=port))
    output.start()
    prefix = f"Prometheus metrics at 127.0.0.1:{port}: "
    wait_for(lambda: bool(caplog.messages))
    for i in range(10):
        output.show(Answer(0.5 * (i + 1), "music", "rock", 0.9), Stats())
    taken.close()
    wait_for(lambda: serves(port))
    assert Scrape(port).value("edge_listen_label_seconds_total", label="rock") == 5.0
    output.close()
    assert caplog.messages == [prefix + "address already in use; trying again", prefix + "works again"]


@pytest.mark.parametrize("address", ["192.0.2.1", "no-such-host.invalid", "no..address", ""])
def test_an_address_that_this_machine_does_not_have_is_logged(address: str, caplog: pytest.LogCaptureFixture) -> None:
    output = PrometheusOutput(Prometheus(port=free_port(), address=address))
    output.start()
    wait_for(lambda: bool(caplog.messages))
    output.show(Answer(0.5, "silence"), Stats())
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < 3
    assert len(caplog.messages) == 1
    assert f"Prometheus metrics at {address}:" in caplog.messages[0]


def test_the_port_is_free_after_closing(port: int) -> None:
    output = PrometheusOutput(Prometheus(port=port))
    output.start()
    wait_for(lambda: serves(port))
    output.close()
    assert not serves(port)
    socket.create_server(("127.0.0.1", port)).close()


def test_a_client_that_hangs_up_or_sends_garbage_does_no_harm(
    output: PrometheusOutput, port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    for request in (b"", b"\xff\0\r\n\r\n", b"GET /metrics HTTP/1.0\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(request)
    assert serves(port)
    assert capfd.readouterr() == ("", "")


def test_a_silent_client_does_not_block_others(output: PrometheusOutput, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)):
        assert serves(port)


def test_closing_does_not_wait_for_a_silent_client(output: PrometheusOutput, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)):
        assert serves(port)  # so that the connection before it was accepted
        began = time.monotonic()
        output.close()
        assert time.monotonic() - began < CLOSE_SECONDS
    assert not serves(port)


def test_a_silent_client_is_disconnected(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_TimeoutHandler, "timeout", 0.2)
    output = PrometheusOutput(Prometheus(port=port))
    output.start()
    wait_for(lambda: serves(port))
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS) as client:
        assert client.recv(1) == b""
    output.close()


def test_a_client_that_resets_the_connection_prints_nothing(
    output: PrometheusOutput, port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(5):
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"GET /metr")
        client.close()
    assert serves(port)
    time.sleep(0.2)
    assert capfd.readouterr() == ("", "")


def test_metrics_are_served_over_ipv6(port: int) -> None:
    output = PrometheusOutput(Prometheus(port=port, address="::1"))
    output.start()
    wait_for(lambda: serves(port, "[::1]"))
    output.close()


def test_the_error_without_prometheus_client_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(UsageError, match=r"pip install 'edge-listen\[prometheus\]'"):
        PrometheusOutput(Prometheus())
