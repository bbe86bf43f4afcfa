"""Metrics of the answers and of the listener's health, served over HTTP for Prometheus."""

import threading
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from edge.answer import STATES, Answer
from edge.backoff import Backoff
from edge.config import Prometheus
from edge.errors import UsageError
from edge.outage import FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS, Outage, describe_os_error
from edge.stats import Stats
from edge.version import version

if TYPE_CHECKING:  # prometheus-client is an extra of this package
    from prometheus_client import CollectorRegistry, Counter

DELAY_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds
REQUEST_SECONDS = 10.0  # for a client to send its request
CLOSE_SECONDS = 2.0


class PrometheusOutput:
    """Serves metrics; a thread of its own waits for the address while it is taken.

    Parameters
    ----------
    settings
        Address and port.

    Raises
    ------
    UsageError
        If prometheus-client is not installed.
    """

    name = "Prometheus"

    def __init__(self, settings: Prometheus) -> None:
        try:
            from prometheus_client import CollectorRegistry
        except ImportError:
            raise UsageError("[prometheus] needs prometheus-client: pip install 'edge-listen[prometheus]'") from None
        registry = CollectorRegistry()
        self._metrics = _Metrics(registry)
        self._closed = threading.Event()
        arguments = settings.address, settings.port, registry
        self._thread = threading.Thread(target=self._serve, args=arguments, name="prometheus", daemon=True)

    def start(self) -> None:
        """Serve as soon as the address is free."""
        self._thread.start()

    def show(self, answer: Answer, stats: Stats) -> None:
        """Update the metrics."""
        self._metrics.update(answer, stats)

    def close(self) -> None:
        """Stop serving, within `CLOSE_SECONDS`."""
        self._closed.set()
        self._thread.join(CLOSE_SECONDS)  # a thread that waits for a name server is left behind

    def _serve(self, address: str, port: int, registry: "CollectorRegistry") -> None:
        outage = Outage(f"Prometheus metrics at {address}:{port}")
        backoff = Backoff(FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS)
        while not self._closed.is_set():
            try:
                server = start_server(address, port, registry)
            except OSError as error:
                outage.failed(describe_os_error(error))
            except UnicodeError:
                outage.failed("invalid address")
            else:
                outage.worked()
                self._closed.wait()
                server.shutdown()
                server.server_close()
            self._closed.wait(backoff.next())


def start_server(address: str, port: int, registry: "CollectorRegistry") -> WSGIServer:
    """Start prometheus_client's server in a thread. Raise OSError, or UnicodeError if the address can't be one.

    Two of the server's habits are replaced: it waits forever for a client that sends nothing, which would cost a
    thread and a file descriptor each, and it prints a traceback when a client resets the connection.
    """
    from prometheus_client import start_http_server

    server, _ = start_http_server(port, address, registry)
    server.RequestHandlerClass = _TimeoutHandler
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    return server


class _TimeoutHandler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Metrics:
    """The metrics, and the time of the previous answer."""

    def __init__(self, registry: "CollectorRegistry") -> None:
        from prometheus_client import Counter, Gauge, Histogram, Info

        def counter(name: str, description: str, *labels: str) -> "Counter":
            return Counter(f"edge_listen_{name}", description, labels, registry=registry)

        self._state = Gauge("edge_listen_state", "1 for what is heard now.", ["state"], registry=registry)
        self._confidence = Gauge("edge_listen_confidence", "Probability of what is said.", registry=registry)
        self._label_seconds = counter("label_seconds", "Music heard, by label.", "label")
        self._state_seconds = counter("state_seconds", "Time, by state.", "state")
        self._delay = Histogram(
            "edge_listen_delay_seconds",
            "From the last sample of an answer to the answer.",
            buckets=DELAY_BUCKETS,
            registry=registry,
        )
        self._overruns = _Total(counter("overruns", "Times that audio was dropped because nobody took it in time."))
        self._reconnects = _Total(counter("reconnects", "Times that the source was lost and has come back."))
        self._lost = _Total(counter("lost_seconds", "Audio that was lost."))
        self._info = Info("edge_listen", "What is running.", registry=registry)
        self._time = 0.0
        for state in STATES:  # a series that first appears with its first second has no rate until the next scrape
            self._state_seconds.labels(state)

    def update(self, answer: Answer, stats: Stats) -> None:
        for state in STATES:
            self._state.labels(state).set(state == answer.state)
        self._confidence.set(answer.confidence)
        seconds = max(answer.time - self._time, 0.0)
        self._time = answer.time
        self._state_seconds.labels(answer.state).inc(seconds)
        if answer.label is not None:
            self._label_seconds.labels(answer.label).inc(seconds)
        if answer.state != "lost":
            self._delay.observe(stats.delay_seconds)
        self._overruns.set(stats.overruns)
        self._reconnects.set(stats.reconnects)
        self._lost.set(answer.lost)
        device = stats.device.encode("utf-8", "replace").decode()  # undecodable bytes of a file name end every scrape
        self._info.info({"version": version(), "device": device})


class _Total:
    """Counter that is set to its total; prometheus_client's counters only take increments."""

    def __init__(self, counter: "Counter") -> None:
        self._counter = counter
        self._total = 0.0

    def set(self, total: float) -> None:
        self._counter.inc(max(total - self._total, 0.0))
        self._total = total
