"""Metrics as Prometheus fetches them while edge-listen runs."""

import time
import urllib.error
import urllib.request

from golden.broker import free_port
from golden.commands import DEADLINE_SECONDS, PipedListener, demo
from golden.recording import check, metrics

MEASURED = ("edge_listen_delay_seconds_bucket", "edge_listen_delay_seconds_sum")  # how fast this machine is


def scrape(port: int, last: str) -> str:
    """What is served, as soon as the sample `last` is among it."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    text = ""
    while last not in text:
        assert time.monotonic() < deadline, f"no {last!r} in\n{text}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE_SECONDS) as response:
                text = response.read().decode()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)  # it is about to serve
    return text


def normalised(text: str) -> str:
    """Without the times that the library notes by itself, and with a 0 for every measured value and a fixed version."""
    kept = []
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if "_created" in line:
            continue
        if name.startswith(MEASURED):
            assert float(value) >= 0
            line = f"{name} 0.0"
        if name.startswith("edge_listen_info{"):
            version = name.partition('version="')[2].partition('"')[0]
            assert version
            line = line.replace(f'version="{version}"', 'version="VERSION"')
        kept.append(line + "\n")
    return "".join(kept)


def test_metrics_after_the_demo() -> None:
    port = free_port()
    with PipedListener("--prometheus", port) as listener:
        listener.write(demo())
        listener.until(lambda answer: answer["t"] == 30.0)
        text = scrape(port, "edge_listen_delay_seconds_count 60.0")
        listener.finish()
    check("metrics.txt", normalised(text), metrics)
