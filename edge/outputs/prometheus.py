"""What is playing and how well the hearing goes, as metrics that Prometheus fetches."""

import socket
import threading
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from edge.answer import STATES, Answer
from edge.config import Prometheus
from edge.errors import UsageError
from edge.outage import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, Outage, describe_os_error
from edge.stats import Stats
from edge.version import version

if TYPE_CHECKING:  # an extra of this package
    from prometheus_client import CollectorRegistry, Counter

DELAY_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds
POLL_SECONDS = 0.5  # closing takes up to this long
REQUEST_SECONDS = 10.0  # for a client to say what it wants
CLOSE_SECONDS = 2.0


class PrometheusOutput:
    """Serves metrics in a thread of its own, which waits for the address if that is taken.

    Raise UsageError without prometheus-client.
    """

    def __init__(self, settings: Prometheus) -> None:
        try:
            from prometheus_client import CollectorRegistry, make_wsgi_app
        except ImportError:
            raise UsageError("[prometheus] needs prometheus-client: pip install 'edge-listen[prometheus]'") from None
        registry = CollectorRegistry()
        self._metrics = _Metrics(registry)
        self._closed = threading.Event()
        arguments = settings.address, settings.port, make_wsgi_app(registry)
        self._thread = threading.Thread(target=self._serve, args=arguments, name="prometheus", daemon=True)

    def start(self) -> None:
        """Serve, as soon as the address is free."""
        self._thread.start()

    def show(self, answer: Answer, stats: Stats) -> None:
        """Count it."""
        self._metrics.count(answer, stats)

    def close(self) -> None:
        """Stop serving, within CLOSE_SECONDS."""
        self._closed.set()
        self._thread.join(CLOSE_SECONDS)  # it may be waiting for a name server, and is left behind then

    def _serve(self, address: str, port: int, app: Any) -> None:
        outage = Outage(f"Prometheus metrics at {address}:{port}")
        wait = FIRST_RETRY_SECONDS
        while not self._closed.is_set():
            try:
                with _Server(address, port) as server:
                    outage.worked()
                    server.set_app(app)
                    while not self._closed.is_set():
                        server.handle_request()
            except OSError as error:
                outage.failed(describe_os_error(error))
            except UnicodeError:
                outage.failed("no address")
            self._closed.wait(wait)
            wait = min(2 * wait, LONGEST_RETRY_SECONDS)


class _Metrics:
    """The metrics, and what they were at the answer before."""

    def __init__(self, registry: "CollectorRegistry") -> None:
        from prometheus_client import Counter, Gauge, Histogram, Info

        def counter(name: str, meaning: str, *labels: str) -> "Counter":
            return Counter(f"edge_listen_{name}", meaning, labels, registry=registry)

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
        self._t = 0.0
        for state in STATES:  # a series that appears with its first second has no rate until the next
            self._state_seconds.labels(state)

    def count(self, answer: Answer, stats: Stats) -> None:
        for state in STATES:
            self._state.labels(state).set(state == answer.state)
        self._confidence.set(answer.confidence)
        seconds = max(answer.time - self._t, 0.0)
        self._t = answer.time
        self._state_seconds.labels(answer.state).inc(seconds)
        if answer.label is not None:
            self._label_seconds.labels(answer.label).inc(seconds)
        if answer.state != "lost":
            self._delay.observe(stats.delay_seconds)
        self._overruns.reach(stats.overruns)
        self._reconnects.reach(stats.reconnects)
        self._lost.reach(answer.lost)
        self._info.info({"version": version(), "device": stats.device})


class _Total:
    """A counter that is told its total."""

    def __init__(self, counter: "Counter") -> None:
        self._counter = counter
        self._total = 0.0

    def reach(self, total: float) -> None:
        self._counter.inc(max(total - self._total, 0.0))
        self._total = total


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingMixIn, WSGIServer):
    """Raise OSError, or UnicodeError for what can't be an address."""

    daemon_threads = True
    timeout = POLL_SECONDS

    def __init__(self, address: str, port: int) -> None:
        resolved = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family, _, _, _, where = resolved[0]
        super().__init__((str(where[0]), port), _Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)
        # Without the name server, which HTTPServer asks who we are.
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that hung up is its own affair, and the terminal's none
