"""The command edge-listen: says what is playing, from a microphone, a file or a pipe."""

import argparse
import contextlib
import json
import math
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.command import heed_sigterm, run
from edge.config import Config, configured
from edge.errors import EdgeError, UsageError

if TYPE_CHECKING:  # --help shall not wait for numpy
    from edge.decision import Answer
    from edge.ear import Ear
    from edge.frontend import FloatArray
    from edge.sources import Gap, Source

DEMO = Path(__file__).parent / "data" / "demo.ogg"


def parser() -> argparse.ArgumentParser:
    """The words of the command line; what is not said is not there, and left to the configuration."""
    d = Config()
    p = argparse.ArgumentParser(
        prog="edge-listen", description="Say what kind of music is playing.", argument_default=argparse.SUPPRESS
    )
    p.add_argument(
        "input", nargs="?", default=None, metavar="INPUT", help="audio file, or - for raw PCM on standard input"
    )
    p.add_argument("--config", type=Path, default=None, metavar="FILE", help="all of these options, as TOML")
    p.add_argument("--device", help="microphone: hw:CARD, usb:VENDOR:PRODUCT, a part of a name … (--list-devices)")
    p.add_argument("--channel", type=int, metavar="N", help="hear one channel of it, from 1 (the mean of two)")
    p.add_argument("--wait", action="store_true", help="for a microphone that isn't there yet")
    p.add_argument("--model", metavar="FILE", help="a .tflite or .onnx of convert.export")
    p.add_argument("--json", action="store_true", help="one JSON object a line")
    p.add_argument("--raw", action="store_true", help="show the model itself: no smoothing, no thresholds")
    p.add_argument("--top-k", type=int, metavar="N", help=f"how many labels to show ({d.top_k})")
    p.add_argument("--hop", type=float, metavar="SECONDS", help=f"time between answers ({d.hop})")
    p.add_argument("--threads", type=int, metavar="N", help=f"threads of the model's runtime ({d.threads})")
    p.add_argument("--duration", type=float, metavar="SECONDS", help="stop after so much time")
    p.add_argument("--rate", type=int, metavar="HZ", help=f"of raw PCM ({d.rate})")
    p.add_argument("--channels", type=int, metavar="N", help=f"of raw PCM ({d.channels})")
    p.add_argument("--bits", type=int, metavar="N", help=f"of a sample of raw PCM, 16 or 32 ({d.bits})")
    p.add_argument("--mqtt", type=mqtt_broker, metavar="HOST[:PORT]", help="tell an MQTT broker, and Home Assistant")
    p.add_argument("--prometheus", type=prometheus_port, metavar="[ADDRESS:]PORT", help="serve metrics there")
    p.add_argument("--history", type=history_file, metavar="FILE", help="keep what was heard, for edge-history")
    p.add_argument("--list-devices", action="store_true", default=False, help="print the microphones and end")
    p.add_argument(
        "--check", action="store_true", default=False, help="try configuration, microphone and model, and end"
    )
    p.add_argument("--demo", action="store_true", default=False, help="listen to the clip that comes with the package")
    return p


def mqtt_broker(text: str) -> dict[str, Any]:
    """HOST[:PORT] as keys of the table [mqtt]; an IPv6 address with a port stands in brackets."""
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and (":" not in host or host.startswith("[")):
        return {"host": host.strip("[]"), "port": int(port)}
    return {"host": text.strip("[]")}


def prometheus_port(text: str) -> dict[str, Any]:
    """[ADDRESS:]PORT as keys of the table [prometheus]."""
    address, _, port = text.rpartition(":")
    if not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no port, and no address with one")
    return {"port": int(port), **({"address": address.strip("[]")} if address else {})}


def history_file(text: str) -> dict[str, Any]:
    """FILE as a key of the table [history]."""
    return {"file": text}


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(lambda: command(vars(parser().parse_args()))))


def command(words: dict[str, Any]) -> int:
    """Do what the command line says. Raise UsageError for words that contradict each other."""
    path, demo, list_devices, check = (words.pop(name) for name in ("input", "demo", "list_devices", "check"))
    config = configured(words.pop("config"), {name.replace("_", "-"): value for name, value in words.items()})
    if sum((path is not None, "device" in words, demo)) > 1:
        raise UsageError("give one of INPUT, --device and --demo")
    if list_devices:
        return print_devices(config.json)
    if check:
        from edge.check import check_all

        return check_all(config, DEMO if demo else path)
    return listen(config, DEMO if demo else path)


def print_devices(as_json: bool) -> int:
    """The microphones, a line each."""
    from edge.devices import input_devices, listing, listing_json

    devices = input_devices(probe=True)
    for line in map(json.dumps, listing_json(devices)) if as_json else [listing(devices)]:
        print(line)
    return 0


def listen(config: Config, path: str | Path | None) -> int:
    """Listen to a file, a pipe (`-`) or the microphone until it ends or the duration is over."""
    from edge.decision import Answer
    from edge.ear import Ear
    from edge.journal import log_to_stderr
    from edge.outputs.chosen import make_outputs, started
    from edge.reload import ReloadedModel
    from edge.views import choose_view

    log_to_stderr()
    file = ReloadedModel(model_path(config), config.threads)
    outputs = list(make_outputs(config))
    source = open_source(config, path)
    ear = Ear(file.model, source.rate, config.hop, config.raw)
    view = choose_view(config.json, config.top_k)
    heed_sigterm()
    with contextlib.closing(source.blocks()) as events, started(outputs):

        def tell(answer: Answer) -> None:
            source.health.delay_seconds = time.monotonic() - source.arrived
            view.show(answer)
            for output in outputs:
                output.show(answer, source.health)

        try:
            for answer in answers(ear, source, file.between(events, ear, source.health), config.duration):
                tell(answer)
        except (KeyboardInterrupt, EdgeError):
            view.end()
            raise
        last, whole = ear.finish()
        for answer in last:
            tell(answer)
        view.end()
        view.final(whole)
    if whole.state == "warming":
        raise EdgeError(f"{whole.t:.2f} s of audio are too short for an answer")
    return 0


def answers(
    ear: "Ear", source: "Source", events: "Iterable[FloatArray | Gap]", duration: float | None
) -> "Iterator[Answer]":
    """What the ear says of the source, hop by hop, for `duration` seconds; time without sound counts, too."""
    from edge.sources import Gap

    left = math.inf if duration is None else duration
    for event in events:
        if isinstance(event, Gap):
            yield ear.lost(event.seconds, source.rate, event.why)
            left -= event.seconds
        else:
            block = event[: round(min(left * source.rate, len(event)))]
            yield from ear.hear(block)
            left -= len(event) / source.rate
        if left <= 0:
            return


def model_path(config: Config) -> Path:
    """The model that the configuration names, or the one that comes with the package."""
    from edge.model import SHIPPED

    return Path(config.model) if config.model else SHIPPED


def open_source(config: Config, path: str | Path | None) -> "Source":
    """The source that the command line names."""
    from edge.sources import FileSource, PcmSource

    if path == "-":
        return PcmSource(sys.stdin.buffer, config.rate, config.channels, config.bits)
    if path is not None:
        return FileSource(path)
    from edge.microphone import Microphone

    return Microphone(config.device, config.channel, config.wait, config.hop)


if __name__ == "__main__":
    main()
