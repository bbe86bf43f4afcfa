"""The outputs that the configuration asks for, together with systemd where it has started us."""

import contextlib
from collections.abc import Iterable, Iterator

from edge.config import Config
from edge.outputs.output import Output
from edge.outputs.status_file import status_output
from edge.outputs.systemd import systemd_output


def make_outputs(config: Config) -> Iterator[Output]:
    """Make them. Raise EdgeError for one that can never work as it is configured."""
    if config.history:
        from edge.history.recorder import HistoryOutput

        yield HistoryOutput(config.history)
    if config.prometheus:
        from edge.outputs.prometheus import PrometheusOutput

        yield PrometheusOutput(config.prometheus)
    if config.mqtt:
        from edge.outputs.mqtt import MqttOutput

        yield MqttOutput(config.mqtt)
    if status := status_output():
        yield status
    if systemd := systemd_output(config.hop):
        yield systemd


@contextlib.contextmanager
def started(outputs: Iterable[Output]) -> Iterator[None]:
    """Start them all, and close them all at the end."""
    with contextlib.ExitStack() as stack:
        for output in outputs:
            output.start()
            stack.callback(output.close)
        yield
