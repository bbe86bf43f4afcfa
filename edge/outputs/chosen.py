"""The outputs that the configuration asks for, together with systemd where it has started us."""

import contextlib
from collections.abc import Iterator

from edge.config import Config
from edge.outputs import Output
from edge.outputs.systemd import systemd_output


@contextlib.contextmanager
def outputs_of(config: Config) -> Iterator[list[Output]]:
    """Make and start them, and close them all at the end. Raise EdgeError for one that can never work."""
    with contextlib.ExitStack() as stack:
        outputs: list[Output] = []
        for output in make_outputs(config):
            output.start()
            outputs.append(output)
            stack.callback(output.close)
        yield outputs


def make_outputs(config: Config) -> Iterator[Output]:
    """Make them. Raise EdgeError."""
    if config.history:
        from edge.outputs.history import HistoryOutput

        yield HistoryOutput(config.history)
    if config.prometheus:
        from edge.outputs.prometheus import PrometheusOutput

        yield PrometheusOutput(config.prometheus)
    if config.mqtt:
        from edge.outputs.mqtt import MqttOutput

        yield MqttOutput(config.mqtt)
    if systemd := systemd_output(config.hop):
        yield systemd
