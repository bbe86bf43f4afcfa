"""The outputs of a command: those that the configuration names, and systemd's if systemd started the process."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.config import Config
from edge.outputs.output import Output


def make_outputs(config: Config) -> list[Output]:
    """Make the outputs; none of them connects yet.

    Only commands call this function: it reads and changes the environment that systemd gave the process.

    Raises
    ------
    EdgeError
        If an output can never work as configured.
    """
    outputs: list[Output] = []
    if config.history:
        from edge.history.recorder import HistoryRecorder

        outputs.append(HistoryRecorder(config.history))
    if config.prometheus:
        from edge.outputs.prometheus import PrometheusOutput

        outputs.append(PrometheusOutput(config.prometheus))
    if config.mqtt:
        from edge.outputs.mqtt import MqttOutput

        outputs.append(MqttOutput(config.mqtt))
    if folder := os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]:
        from edge.outputs.status_file import StatusFileOutput

        outputs.append(StatusFileOutput(Path(folder)))
    # Removed, so that no child process, such as the one that records, can notify systemd in the place of this one.
    if address := os.environ.pop("NOTIFY_SOCKET", None):
        from edge.outputs.systemd import SystemdOutput

        outputs.append(SystemdOutput(address, config.hop))
    return outputs


@contextlib.contextmanager
def started(outputs: Iterable[Output]) -> Iterator[None]:
    """Start the outputs, and close them at the end."""
    with contextlib.ExitStack() as stack:
        for output in outputs:
            output.start()
            stack.callback(output.close)
        yield
