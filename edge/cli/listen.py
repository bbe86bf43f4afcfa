"""The command edge-listen: says what is playing, from a microphone, a file or a pipe."""

import argparse
import json
import math
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.encoding import use_utf8
from edge.cli.exit_status import exit_on_sigterm, run
from edge.cli.parser import make_parser
from edge.config import Config, load_config
from edge.errors import EdgeError, UsageError

if TYPE_CHECKING:  # numpy would slow --help
    from edge.answer import Answer
    from edge.audio.source import AudioSource
    from edge.cli.reload import HotSwap
    from edge.listener import Listener

EXAMPLES = (
    ("edge-listen", "the default microphone"),
    ("edge-listen --list-devices", "microphones and their names"),
    ("edge-listen --device usb:046d:0825 --json", "one microphone, JSON lines"),
    ("edge-listen song.flac", "a file"),
    ("arecord -t raw -f S16_LE -r 48000 | edge-listen -", "raw PCM from a pipe"),
    ("edge-listen --config edge-listen.toml --check", "test a configuration"),
)


def parser() -> argparse.ArgumentParser:
    """The argument parser. Options that are not given are absent, so that the configuration file can set them."""
    d = Config()
    p = make_parser("edge-listen", "Say what kind of music is playing.", EXAMPLES, "edge/README.md")
    p.add_argument("input", nargs="?", metavar="INPUT", help="audio file, or - for raw PCM on standard input")
    absent: Any = argparse.SUPPRESS

    actions = p.add_argument_group("instead of listening")
    actions.add_argument("--demo", action="store_true", help="listen to the clip that comes with the package")
    actions.add_argument("--list-devices", action="store_true", help="list the microphones")
    actions.add_argument("--check", action="store_true", help="test the configuration, model, microphone and outputs")

    microphone = p.add_argument_group("microphone")
    microphone.add_argument(
        "--device", default=absent, help="hw:CARD, usb:VENDOR:PRODUCT, part of a name … (see --list-devices)"
    )
    microphone.add_argument(
        "--channel", type=int, default=absent, metavar="N", help="use one channel, from 1 (default: mean of two)"
    )
    microphone.add_argument(
        "--wait", action="store_true", default=absent, help="wait for a microphone that is not plugged in yet"
    )

    pcm = p.add_argument_group("raw PCM on standard input")
    pcm.add_argument("--rate", type=int, default=absent, metavar="HZ", help=f"sample rate (default: {d.rate})")
    pcm.add_argument("--channels", type=int, default=absent, metavar="N", help=f"channels (default: {d.channels})")
    pcm.add_argument("--bits", type=int, default=absent, metavar="N", help=f"16 or 32 per sample (default: {d.bits})")

    model = p.add_argument_group("model")
    model.add_argument("--model", default=absent, metavar="FILE", help=".tflite or .onnx file of convert.export")
    model.add_argument(
        "--hop", type=float, default=absent, metavar="SECONDS", help=f"time between answers (default: {d.hop})"
    )
    model.add_argument(
        "--threads", type=int, default=absent, metavar="N", help=f"threads of the runtime (default: {d.threads})"
    )
    model.add_argument(
        "--raw", action="store_true", default=absent, help="show the model's own output: no smoothing, no thresholds"
    )

    output = p.add_argument_group("output")
    output.add_argument("--json", action="store_true", default=absent, help="one JSON object per line")
    output.add_argument("--top-k", type=int, default=absent, metavar="N", help=f"labels to show (default: {d.top_k})")
    output.add_argument("--duration", type=float, default=absent, metavar="SECONDS", help="stop after this time")
    output.add_argument(
        "--mqtt", type=mqtt_broker, default=absent, metavar="HOST[:PORT]", help="publish to an MQTT broker"
    )
    output.add_argument(
        "--prometheus", type=prometheus_port, default=absent, metavar="[ADDRESS:]PORT", help="serve metrics"
    )
    output.add_argument(
        "--history", type=history_file, default=absent, metavar="FILE", help="record what is heard, for edge-history"
    )
    output.add_argument("--config", type=Path, metavar="FILE", help="TOML file with any of these options")
    return p


def mqtt_broker(text: str) -> dict[str, Any]:
    """Parse HOST[:PORT] into keys of the table [mqtt]; an IPv6 address with a port is in brackets."""
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and (":" not in host or host.startswith("[")):
        return {"host": host.strip("[]"), "port": int(port)}
    return {"host": text.strip("[]")}


def prometheus_port(text: str) -> dict[str, Any]:
    """Parse [ADDRESS:]PORT into keys of the table [prometheus]."""
    address, _, port = text.rpartition(":")
    if not port.isdecimal():
        raise argparse.ArgumentTypeError(f"expected PORT or ADDRESS:PORT, got {text!r}")
    return {"port": int(port), **({"address": address.strip("[]")} if address else {})}


def history_file(text: str) -> dict[str, Any]:
    """Put FILE into a key of the table [history]."""
    return {"file": text}


def main() -> None:
    """Entry point of the installed command."""
    # The handler that reads the model again is installed before the model is read; until then there is nothing to do.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    sys.exit(run(lambda: command(vars(parser().parse_args()))))


def command(arguments: dict[str, Any]) -> int:
    """Run the command. Raise UsageError for arguments that contradict each other."""
    path, demo, list_devices, check = (arguments.pop(name) for name in ("input", "demo", "list_devices", "check"))
    config = load_config(arguments.pop("config"), {name.replace("_", "-"): value for name, value in arguments.items()})
    if sum((path is not None, "device" in arguments, demo)) > 1:
        raise UsageError("INPUT, --device and --demo exclude each other")
    if config.json:
        use_utf8()
    if list_devices:
        return print_devices(config.json)
    if demo:
        from edge.audio.open import DEMO_CLIP

        path = DEMO_CLIP
    if check:
        from edge.cli.check import check_all

        return check_all(config, path)
    return listen(config, path)


def print_devices(as_json: bool) -> int:
    """Print one line per microphone."""
    from edge.audio.microphone.devices import input_devices, listing, listing_json

    devices = input_devices(probe=True)
    for line in map(json.dumps, listing_json(devices)) if as_json else [listing(devices)]:
        print(line)
    return 0


def listen(config: Config, path: str | Path | None) -> int:
    """Listen to a file, a pipe ("-") or the microphone (None) until it ends or the duration is over."""
    from edge.cli.logs import log_to_stderr
    from edge.cli.reload import HotSwap
    from edge.listener import Listener, check_hop
    from edge.native_stderr import silence_native_stderr
    from edge.outputs.configured import make_outputs, started
    from edge.outputs.terminal import choose_view

    silence_native_stderr()
    log_to_stderr()
    swap = HotSwap(model_path(config), config.threads)
    try:
        check_hop(swap.model, config.hop)  # before anything is opened
    except UsageError as error:
        raise UsageError(f"--{error}") from None
    outputs = make_outputs(config)
    view = choose_view(config.json, config.top_k)
    with open_source(config, path) as source:
        swap.describe(source.stats)
        listener = Listener(swap.model, source.rate, config.hop, config.raw)

        def publish(answer: "Answer") -> None:
            view.show(answer)
            for output in outputs:
                output.show(answer, source.stats)

        exit_on_sigterm()
        with started(outputs):
            try:
                hear(source, listener, swap, publish, config.duration)
            except (KeyboardInterrupt, EdgeError):
                view.end()
                raise
            for answer in listener.flush():
                publish(answer)
            summary = listener.summary()
            view.end()
            view.summary(summary)
    if summary.state == "warming":
        raise EdgeError(f"{summary.time:.2f} s of audio is too short for an answer")
    return 0


def hear(
    source: "AudioSource",
    listener: "Listener",
    swap: "HotSwap",
    publish: "Callable[[Answer], None]",
    duration: float | None,
) -> None:
    """Run the main loop for `duration` seconds of time with and without audio, or until the source ends."""
    from edge.audio.source import Gap

    left = math.inf if duration is None else duration
    for block in source.blocks():
        swap.apply(listener, source.stats)
        if isinstance(block, Gap):
            publish(listener.gap(block.seconds, source.rate, block.why))
            left -= block.seconds
        else:
            for answer in listener.process(block[: round(min(left * source.rate, len(block)))]):
                assert source.arrived is not None  # a block came
                source.stats.delay_seconds = time.monotonic() - source.arrived
                publish(answer)
            left -= len(block) / source.rate
        if left <= 0:
            return


def model_path(config: Config) -> Path:
    """The configured model, or the one that comes with the package."""
    from edge.model.load import SHIPPED_MODEL

    return Path(config.model) if config.model else SHIPPED_MODEL


def open_source(config: Config, path: str | Path | None) -> "AudioSource":
    """Open the source that the command line names."""
    from edge.audio.open import open_audio

    if path == "-" and sys.stdin is None:
        raise EdgeError("standard input is closed")
    return open_audio(sys.stdin.buffer if path == "-" else path, config)


if __name__ == "__main__":
    main()
