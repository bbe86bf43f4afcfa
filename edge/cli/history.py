"""The command edge-history: shows what was heard and when, from the file that edge-listen writes."""

import argparse
import datetime
import json
import math
import sys
from pathlib import Path
from typing import Any

from edge.cli.encoding import use_utf8
from edge.cli.exit_status import run
from edge.cli.parser import make_parser
from edge.config import read_config
from edge.errors import EdgeError, UsageError
from edge.history import store
from edge.history.segments import Segment

PLOT_SUFFIXES = (".png", ".svg")
EXAMPLES = (
    ("edge-history --file history.db today", "what was heard today"),
    ("edge-history --config edge-listen.toml day 2026-11-22", "another day"),
    ("edge-history --file history.db day 2026-11-22 --out day.png", "a plot of it"),
    ("edge-history --file history.db labels --since 2026-11-01 --json", "hours of each label, as JSON lines"),
)


def parser() -> argparse.ArgumentParser:
    """The argument parser."""
    p = make_parser(
        "edge-history", "Show what was heard, in the local time of this device.", EXAMPLES, "edge/README.md"
    )
    add_file_options(p)
    commands = p.add_subparsers(title="commands", dest="command", required=True, metavar="today|day|labels")
    shared = argparse.ArgumentParser(add_help=False)
    add_file_options(shared)
    shared.add_argument("--json", action="store_true", help="one JSON object per line")
    today = commands.add_parser("today", parents=[shared], help="what was heard today")
    day = commands.add_parser("day", parents=[shared], help="what was heard on any day")
    day.add_argument("date", nargs="?", metavar="DATE", help="YYYY-MM-DD (default: today)")
    for command in (today, day):
        command.add_argument("--out", type=Path, metavar="FILE", help="draw the day into a .png or .svg file instead")
    labels = commands.add_parser("labels", parents=[shared], help="hours of each label")
    labels.add_argument("--since", metavar="DATE", help="first day (default: the first of the history)")
    labels.add_argument("--until", metavar="DATE", help="last day (default: the last of the history)")
    return p


def add_file_options(p: argparse.ArgumentParser) -> None:
    """Add the options that name the history; they are allowed before and after the command."""
    group = p.add_argument_group("history file, one of")
    absent: Any = argparse.SUPPRESS
    group.add_argument("--file", type=Path, metavar="FILE", default=absent, help="the history")
    group.add_argument(
        "--config", type=Path, metavar="FILE", default=absent, help="the configuration of edge-listen that names it"
    )


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(lambda: history(parser().parse_args())))


def history(args: argparse.Namespace) -> int:
    """Run a command. Raise UsageError for invalid arguments, EdgeError for a file without an answer."""
    if args.json:
        use_utf8()
    return print_labels(args) if args.command == "labels" else show_day(args)


def show_day(args: argparse.Namespace) -> int:
    """Print or draw the segments of a day."""
    if args.out and args.json:
        raise UsageError("--out and --json exclude each other")
    if args.out and args.out.suffix not in PLOT_SUFFIXES:
        raise UsageError(f"--out {args.out}: must end in {' or '.join(PLOT_SUFFIXES)}")
    date = parse_date(getattr(args, "date", None)) or datetime.date.today()
    since, until = bounds(date)
    with store.open_to_read(history_path(args)) as connection:
        segments = store.read(connection, since, until)
        labels = store.labels(connection)
    if not segments:
        raise EdgeError(f"nothing was heard on {date:%Y-%m-%d}")
    if args.out:
        try:
            from edge.history.day_plot import draw
        except ImportError:
            raise EdgeError("--out needs matplotlib: pip install 'edge-listen[history]'") from None
        draw(args.out, f"{date:%A}, {date:%Y-%m-%d}", since, until, segments, labels)
        return 0
    for segment in segments:
        print(json.dumps(vars(segment), ensure_ascii=False) if args.json else format_segment(segment))
    return 0


def print_labels(args: argparse.Namespace) -> int:
    """Print the hours of each label, and of each state without one."""
    first, last = parse_date(args.since), parse_date(args.until)
    since = bounds(first)[0] if first else -math.inf
    until = bounds(last)[1] if last else math.inf
    if since >= until:
        raise UsageError(f"--since {first} is after --until {last}")
    with store.open_to_read(history_path(args)) as connection:
        totals = store.totals(connection, since, until)
    if not totals:
        raise EdgeError("nothing was heard in that time")
    total = sum(seconds for _, _, seconds in totals)
    for state, label, seconds in totals:
        if args.json:
            print(json.dumps({"state": state, "label": label, "seconds": seconds}, ensure_ascii=False))
        else:
            print(f"{seconds / 3600:9.2f} h  {seconds / total:4.0%}  {label or state}")
    return 0


def history_path(args: argparse.Namespace) -> Path:
    """The history that the arguments name. Raise UsageError unless exactly one of them does."""
    file, config = getattr(args, "file", None), getattr(args, "config", None)
    if (file is None) == (config is None):
        raise UsageError("expected either --file FILE or --config FILE")
    if file:
        return Path(file)
    table = read_config(config).get("history")
    if not table:
        raise UsageError(f"{config}: has no table [history]")
    return Path(table["file"])


def parse_date(text: str | None) -> datetime.date | None:
    """Parse YYYY-MM-DD. Raise UsageError."""
    if text is None:
        return None
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise UsageError(f"invalid date {text!r}: expected YYYY-MM-DD") from None


def bounds(date: datetime.date) -> tuple[float, float]:
    """Unix times of the two midnights of a day in local time, 23 to 25 hours apart. Raise UsageError."""
    try:
        midnights = (datetime.datetime.combine(day, datetime.time()) for day in (date, date + datetime.timedelta(1)))
        since, until = (midnight.timestamp() for midnight in midnights)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{date}: outside the dates that this machine supports") from None
    return since, until


def format_segment(segment: Segment) -> str:
    """Format begin, end, length, label or state, and confidence."""
    began, ended = round(segment.began), round(segment.began + segment.seconds)
    times = "-".join(f"{datetime.datetime.fromtimestamp(time):%H:%M:%S}" for time in (began, ended))
    confidence = f" {segment.confidence:.0%}" if segment.confidence else ""  # 0 where the model was not run
    return f"{times}  {datetime.timedelta(seconds=ended - began)!s:>8}  {segment.label or segment.state}{confidence}"


if __name__ == "__main__":
    main()
