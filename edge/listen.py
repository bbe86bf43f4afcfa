"""The command edge-listen: says what is playing, from a microphone, a file or a pipe."""

import argparse
import contextlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge import HOP_SECONDS
from edge.command import run
from edge.errors import EdgeError, UsageError

if TYPE_CHECKING:  # --help shall not wait for numpy
    from edge.decision import Answer
    from edge.ear import Ear
    from edge.sources import Source

DEMO = Path(__file__).parent / "data" / "demo.ogg"


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    p = argparse.ArgumentParser(prog="edge-listen", description="Say what kind of music is playing.")
    p.add_argument("input", nargs="?", metavar="INPUT", help="audio file, or - for raw 16-bit PCM on standard input")
    p.add_argument("--device", help="microphone: hw:CARD, an index or a part of its name (--list-devices)")
    p.add_argument("--model", type=Path, metavar="FILE", help="a .tflite or .onnx of convert.export")
    p.add_argument("--json", action="store_true", help="one JSON object a line")
    p.add_argument("--top-k", type=int, default=3, metavar="N", help="how many labels to show (3)")
    p.add_argument(
        "--hop", type=float, default=HOP_SECONDS, metavar="SECONDS", help="time between answers (%(default)s)"
    )
    p.add_argument("--threads", type=int, default=1, metavar="N", help="threads of the model's runtime (1)")
    p.add_argument("--duration", type=float, metavar="SECONDS", help="stop after so much audio")
    p.add_argument("--rate", type=int, default=48_000, metavar="HZ", help="of raw PCM (48000)")
    p.add_argument("--channels", type=int, default=1, metavar="N", help="of raw PCM (1)")
    p.add_argument("--list-devices", action="store_true", help="print the microphones and end")
    p.add_argument("--demo", action="store_true", help="listen to the clip that comes with the package")
    return p


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(lambda: listen(check(parser().parse_args()))))


def check(args: argparse.Namespace) -> argparse.Namespace:
    """Raise UsageError for words that contradict each other or numbers that can't be."""
    if sum((args.input is not None, args.device is not None, args.demo)) > 1:
        raise UsageError("give one of INPUT, --device and --demo")
    for name in ("top_k", "threads", "rate", "channels"):
        if getattr(args, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(args, name)}: has to be at least 1")
    if args.duration is not None and not args.duration > 0:
        raise UsageError(f"--duration {args.duration:g}: has to be above 0")
    return args


def listen(args: argparse.Namespace) -> int:
    """Listen until the source ends or --duration is over."""
    if args.list_devices:
        from edge.devices import input_devices, listing

        print(listing(input_devices()))
        return 0
    from edge.ear import Ear
    from edge.model import SHIPPED, load
    from edge.views import choose_view

    source = open_source(args)
    ear = Ear(load(args.model or SHIPPED, args.threads), source.rate, args.hop)
    view = choose_view(args.json, args.top_k)
    try:
        for answer in answers(ear, source, args.duration):
            view.show(answer)
    except (KeyboardInterrupt, EdgeError):
        view.end()
        raise
    last, whole = ear.finish()
    for answer in last:
        view.show(answer)
    view.end()
    view.final(whole)
    if whole.state == "warming":
        raise EdgeError(f"{whole.t:.2f} s of audio are too short for an answer")
    return 0


def answers(ear: "Ear", source: "Source", duration: float | None) -> "Iterator[Answer]":
    """What the ear says of the source, hop by hop, for `duration` seconds; time without sound counts, too."""
    from edge.sources import LOST_SECONDS

    left = math.inf if duration is None else round(duration * source.rate)
    with contextlib.closing(source.blocks()) as blocks:
        for block in blocks:
            if block is None:
                yield ear.lost()
                left -= LOST_SECONDS * source.rate
            else:
                block = block[: int(min(left, len(block)))]
                yield from ear.hear(block)
                left -= len(block)
            if left <= 0:
                return


def open_source(args: argparse.Namespace) -> "Source":
    """The source that the command line names."""
    from edge.sources import FileSource, PcmSource

    if args.input == "-":
        return PcmSource(sys.stdin.buffer, args.rate, args.channels)
    if args.input or args.demo:
        return FileSource(args.input or DEMO)
    from edge.microphone import Microphone

    return Microphone(args.device)


if __name__ == "__main__":
    main()
