"""The command edge-deploy: a Raspberry Pi with a microphone becomes a listening one, over ssh."""

import argparse
import contextlib
import dataclasses
import getpass
import importlib.util
import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from edge.command import run
from edge.deploy.deployment import Deployment
from edge.deploy.host import Host, SshHost, ThisMachine
from edge.deploy.package import digest, own_wheel
from edge.deploy.target import Target, look_over
from edge.deploy.release import Wanted
from edge.errors import EdgeError, UsageError

Job = Callable[[Deployment], None]


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    p = argparse.ArgumentParser(
        prog="edge-deploy",
        description="Make Raspberry Pis listen: over ssh, from nothing to a running service. Again, it updates them.",
    )
    p.add_argument(
        "hosts", nargs="*", metavar="HOST", help="as ssh takes it: pi@raspberrypi.local, a name of its config …"
    )
    p.add_argument("--here", action="store_true", help="on this machine, without ssh")
    p.add_argument("--device", help="microphone, as edge-listen takes it (the system's default one)")
    p.add_argument(
        "--model", type=Path, metavar="FILE", help="a .tflite or .onnx of convert.export (the one that comes along)"
    )
    p.add_argument("--config", type=Path, metavar="FILE", help="the whole configuration, as TOML (what is there stays)")
    p.add_argument("--wheel", type=Path, metavar="FILE", help="the program (the one that this is)")
    p.add_argument("--offline", action="store_true", help="bring everything along that would come from the internet")
    p.add_argument(
        "-o", action="append", default=[], dest="options", metavar="OPTION", help="of ssh and scp: -o Port=2222"
    )
    p.add_argument("--patience", type=float, default=60.0, metavar="SECONDS", help="for a first answer (60)")
    p.add_argument(
        "--dry-run", action="store_true", help="look the machine over, and print every step instead of doing it"
    )
    p.add_argument("--json", type=Path, metavar="FILE", help="where to write all that was found and measured")
    instead = p.add_mutually_exclusive_group()
    instead.add_argument("--status", action="store_true", help="say how it goes, and change nothing")
    instead.add_argument("--rollback", action="store_true", help="go back to the release before")
    instead.add_argument("--remove", action="store_true", help="leave nothing behind, not even what was heard")
    return p


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(lambda: command(parser().parse_intermixed_args())))


def command(args: argparse.Namespace) -> int:
    """Do what the command line says, on all hosts at once; 1 if it fails on any."""
    if bool(args.hosts) == args.here:
        raise UsageError("give one HOST or more, or --here")
    if len(set(args.hosts)) < len(args.hosts):
        raise UsageError("a HOST is given twice")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        job = job_of(args, folder)
        hosts: list[Host] = [ThisMachine()] if args.here else [SshHost(name, args.options) for name in args.hosts]
        for host in hosts:
            stack.enter_context(host)
        failed, targets = dict[str, str](), dict[Host, Target]()
        for host in hosts:  # one after the other: ssh and sudo may ask for a password
            try:
                host.connect()
                targets[host] = look_over(host)
                ask_password(host)
            except EdgeError as error:
                failed[host.name] = str(error)
        deployments = [
            Deployment(host, target, teller(host, len(hosts)), args.dry_run, args.patience)
            for host, target in targets.items()
            if host.name not in failed
        ]
        try:
            with ThreadPoolExecutor(max(1, len(deployments))) as pool:
                problems = list(pool.map(partial(attempt, job), deployments))
        except KeyboardInterrupt:  # which has ended every ssh, too, and with it the step that it was at
            raise EdgeError("stopped in the middle: --status says what runs there now") from None
    failed |= {d.host.name: problem for d, problem in zip(deployments, problems, strict=True) if problem}
    found = {d.host.name: {"target": dataclasses.asdict(d.target), **d.found} for d in deployments}
    if args.status or len(hosts) > 1:
        print(*table(found, failed), sep="\n")
    for problem in failed.values():
        print(f"error: {problem}", file=sys.stderr)
    if args.json:
        report = {name: {**found.get(name, {}), "error": failed.get(name)} for name in (h.name for h in hosts)}
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


def job_of(args: argparse.Namespace, folder: Path) -> Job:
    """What shall happen on each host. Raise EdgeError for what is given here and can't be deployed anywhere."""
    if args.status:
        return Deployment.status
    if args.rollback:
        return Deployment.roll_back
    if args.remove:
        return Deployment.remove
    if args.offline and importlib.util.find_spec("packaging") is None:
        raise EdgeError("--offline needs the package packaging: pip install packaging")
    if args.model is not None:
        from edge.container import read  # it needs numpy

        read(args.model)
    config = None
    if args.config is not None:
        from edge import config as configuration

        configuration.read(args.config)
        config = args.config.read_text(encoding="utf-8")
    wanted = Wanted(args.wheel or own_wheel(folder), args.device, args.model, config)
    digest(wanted.wheel)
    return lambda deployment: deployment.deploy(wanted, args.offline)


def ask_password(host: Host) -> None:
    """Ask for the password of a machine's sudo, if it wants one. Raise EdgeError if that can't be, or it is wrong."""
    if host.sudo != "password":
        return
    if not sys.stdin.isatty():
        raise EdgeError(f"{host.name}: its sudo asks for a password, which only a person at a terminal can give")
    host.password = getpass.getpass(f"password of sudo on {host.name}: ")
    host.run("true", root=True)


def attempt(job: Job, deployment: Deployment) -> str | None:
    """What went wrong on one host; the others go on."""
    try:
        job(deployment)
    except EdgeError as error:
        return str(error)
    except OSError as error:
        return f"{deployment.host.name}: {error.filename or ''}: {error.strerror}"
    return None


def teller(host: Host, hosts: int) -> Callable[[str], None]:
    """How a host's lines are shown: with its name where there are several."""
    start = f"{host.name}: " if hosts > 1 else ""
    lock = threading.Lock()

    def tell(text: str) -> None:
        with lock:
            for line in text.splitlines():
                print(f"{start}{line}", flush=True)

    return tell


def table(found: dict[str, dict[str, Any]], failed: dict[str, str]) -> Iterator[str]:
    """A line a host: what runs there, and how."""
    rows: list[Sequence[str]] = [("host", "release", "model", "up", "state", "overruns", "lost s", "°C")]
    for name in (*found, *(name for name in failed if name not in found)):
        rows.append((name, *cells(found.get(name, {}), failed.get(name))))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def cells(found: dict[str, Any], error: str | None) -> Sequence[str]:
    """What a host's line says after its name."""
    target = found.get("target", {})
    release = found.get("release", target.get("release")) or {}  # the one of now, the one that was there
    service = found.get("service", {})
    told = service.get("told") or {}
    state = service.get("text") or service.get("active") or "?"
    heat = target.get("temperature_c")
    return (
        release.get("name", "-"),
        told.get("model") or release.get("model_name") or "-",
        duration(service["up_seconds"]) if service.get("pid") else "-",
        "failed" if error else state,
        str(told.get("overruns", "-")),
        f"{told['lost']:.1f}" if "lost" in told else "0" if told else "-",
        "-" if heat is None else f"{heat:.0f}",
    )


def duration(seconds: float) -> str:
    """Days, hours and minutes, the two that matter most."""
    days, rest = divmod(round(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
