"""The outputs that the configuration asks for, together with systemd where it has started us."""

import contextlib
from collections.abc import Iterator

from edge.config import Config
from edge.outputs import Output
from edge.outputs.systemd import systemd_output


@contextlib.contextmanager
def outputs_of(config: Config) -> Iterator[list[Output]]:
    """Make them, and close them all at the end. Raise EdgeError for one that can never work as it is configured."""
    with contextlib.ExitStack() as stack:
        outputs: list[Output] = []

        def add(output: Output) -> None:
            outputs.append(output)
            stack.callback(output.close)

        if config.history:
            from edge.outputs.history import HistoryOutput

            add(HistoryOutput(config.history))
        if config.prometheus:
            from edge.outputs.prometheus import PrometheusOutput

            add(PrometheusOutput(config.prometheus))
        if config.mqtt:
            from edge.outputs.mqtt import MqttOutput

            add(MqttOutput(config.mqtt))
        if systemd := systemd_output(config.hop):
            add(systemd)
        yield outputs


def check_outputs(config: Config) -> str:
    """Which there would be. Raise EdgeError for one that can never work as it is configured."""
    return "none"
