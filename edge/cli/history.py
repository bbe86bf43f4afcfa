"""The command edge-history: what was heard and when, from the file that edge-listen keeps."""

import argparse
import datetime
import json
import math
import sys
from pathlib import Path

from edge.cli.exit_status import run
from edge.config import read_config
from edge.errors import EdgeError, UsageError
from edge.history import store
from edge.history.store import Segment

PICTURE_SUFFIXES = (".png", ".svg")


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    which = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)  # before or behind the command
    which.add_argument("--file", type=Path, help="the history")
    which.add_argument("--config", type=Path, metavar="FILE", help="a configuration file that says where it is")
    how = argparse.ArgumentParser(add_help=False)
    how.add_argument("--json", action="store_true", help="one JSON object a line")
    p = argparse.ArgumentParser(
        prog="edge-history", description="Say what was heard, in this device's local time.", parents=[which]
    )
    commands = p.add_subparsers(dest="command", required=True, metavar="today|day|labels")
    today = commands.add_parser("today", parents=[which, how], help="what was heard today")
    day = commands.add_parser("day", parents=[which, how], help="what was heard on any day")
    day.add_argument("date", nargs="?", metavar="DATE", help="YYYY-MM-DD (today)")
    for command in (today, day):
        command.add_argument("--out", type=Path, metavar="FILE", help="a .png or .svg to draw the day into, instead")
    labels = commands.add_parser("labels", parents=[which, how], help="hours of each label")
    labels.add_argument("--since", metavar="DATE", help="the first day (the first that there is)")
    labels.add_argument("--until", metavar="DATE", help="the last day (the last that there is)")
    return p


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(lambda: history(parser().parse_args())))


def history(args: argparse.Namespace) -> int:
    """Print or draw what is asked for. Raise UsageError for bad words, EdgeError for a file without an answer."""
    return tell_labels(args) if args.command == "labels" else tell_day(args)


def tell_day(args: argparse.Namespace) -> int:
    """The store of a day, as a list or a picture."""
    if args.out and (args.json or args.out.suffix not in PICTURE_SUFFIXES):
        raise UsageError(f"--out {args.out}: has to end in .png or .svg, and goes without --json")
    date = parse_date(getattr(args, "date", None)) or datetime.date.today()
    since, until = bounds(date)
    with store.open_to_read(file_of(args)) as connection:
        heard = store.read(connection, since, until)
        labels = store.labels(connection)
    if not heard:
        raise EdgeError(f"nothing was heard on {date:%Y-%m-%d}")
    if args.out:
        try:
            from edge.history.day_plot import draw
        except ImportError:
            raise EdgeError("a picture needs matplotlib: pip install 'edge-listen[history]'") from None
        draw(args.out, f"{date:%A}, {date:%Y-%m-%d}", since, until, heard, labels)
    for stretch in [] if args.out else heard:
        print(json.dumps(vars(stretch), ensure_ascii=False) if args.json else line(stretch))
    return 0


def tell_labels(args: argparse.Namespace) -> int:
    """Hours of each label, and of each state but music."""
    first, last = parse_date(args.since), parse_date(args.until)
    since = bounds(first)[0] if first else -math.inf
    until = bounds(last)[1] if last else math.inf
    if since >= until:
        raise UsageError(f"--since {first} is after --until {last}")
    with store.open_to_read(file_of(args)) as connection:
        totals = store.totals(connection, since, until)
    if not totals:
        raise EdgeError("nothing was heard in that time")
    whole = sum(seconds for _, _, seconds in totals)
    for state, label, seconds in totals:
        if args.json:
            print(json.dumps({"state": state, "label": label, "seconds": seconds}, ensure_ascii=False))
        else:
            print(f"{seconds / 3600:9.2f} h  {seconds / whole:4.0%}  {label or state}")
    return 0


def file_of(args: argparse.Namespace) -> Path:
    """The history that the words name. Raise UsageError unless they name one."""
    file, path = getattr(args, "file", None), getattr(args, "config", None)
    if (file is None) == (path is None):
        raise UsageError("say where the history is: either --file FILE or --config FILE")
    if file:
        return Path(file)
    table = read_config(path).get("history")
    if not table:
        raise UsageError(f"{path}: keeps no history, it has no table [history]")
    return Path(table["file"])


def parse_date(text: str | None) -> datetime.date | None:
    """A date of YYYY-MM-DD. Raise UsageError."""
    if text is None:
        return None
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise UsageError(f"{text!r} is no date: write it as YYYY-MM-DD") from None


def bounds(date: datetime.date) -> tuple[float, float]:
    """Unix times of the two midnights of a day in local time, 23 to 25 hours apart. Raise UsageError."""
    try:
        midnights = (datetime.datetime.combine(day, datetime.time()) for day in (date, date + datetime.timedelta(1)))
        since, until = (midnight.timestamp() for midnight in midnights)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{date}: this machine can't count to that day") from None
    return since, until


def line(stretch: Segment) -> str:
    """From, to, how long, what and how sure."""
    began, ended = round(stretch.began), round(stretch.began + stretch.seconds)
    moments = "-".join(f"{datetime.datetime.fromtimestamp(moment):%H:%M:%S}" for moment in (began, ended))
    sure = f" {stretch.confidence:.0%}" if stretch.confidence else ""  # 0 is of what the model was not asked
    return f"{moments}  {datetime.timedelta(seconds=ended - began)!s:>8}  {stretch.label or stretch.state}{sure}"


if __name__ == "__main__":
    main()
