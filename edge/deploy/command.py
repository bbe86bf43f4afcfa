"""The command edge-deploy: install, update and inspect edge-listen on Raspberry Pis over ssh."""

import argparse
import contextlib
import getpass
import importlib.util
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edge.cli.exit_status import run
from edge.cli.parser import make_parser
from edge.deploy.deployment import Deployment, describe
from edge.deploy.host import Host, SshHost, ThisMachine
from edge.deploy.host_table import host_table
from edge.deploy.package import digest, own_wheel
from edge.deploy.release import DeployRequest
from edge.deploy.shell import script
from edge.deploy.target import Target, probe
from edge.errors import EdgeError, UsageError
from edge.json_file import check_writable, write_json

Job = Callable[[Deployment], None]

EXAMPLES = (
    ("edge-deploy pi@raspberrypi.local --device hw:1", "install, or update, and start listening"),
    ("edge-deploy pi@raspberrypi.local --dry-run", "print every step, change nothing"),
    ("edge-deploy kitchen cellar --status", "a table of several machines"),
    ("edge-deploy kitchen --rollback", "return to the release before"),
    ("edge-deploy --here --device hw:1", "on the Raspberry Pi itself"),
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    p = make_parser(
        "edge-deploy",
        "Install edge-listen as a service on one or more Raspberry Pis over ssh. Run it again to update.",
        EXAMPLES,
        "edge/deploy/README.md",
    )
    machines = p.add_argument_group("machines")
    machines.add_argument(
        "hosts", nargs="*", metavar="HOST", help="as ssh takes it: pi@raspberrypi.local, a name from ~/.ssh/config …"
    )
    machines.add_argument("--here", action="store_true", help="deploy on this machine, without ssh")
    machines.add_argument(
        "-o", action="append", default=[], dest="options", metavar="OPTION", help="option for ssh, such as -o Port=2222"
    )
    content = p.add_argument_group("what to deploy")
    content.add_argument("--device", help="microphone, as edge-listen takes it (default: the system's default one)")
    content.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="a .tflite or .onnx file (default: the deployed model, else the program's)",
    )
    content.add_argument(
        "--config", type=Path, metavar="FILE", help="the whole configuration as TOML (default: keep the installed one)"
    )
    content.add_argument("--wheel", type=Path, metavar="FILE", help="the program (default: this one)")
    content.add_argument(
        "--offline", action="store_true", help="bring all requirements along, for a machine without internet"
    )
    process = p.add_argument_group("how to deploy")
    process.add_argument(
        "--patience", type=float, default=60.0, metavar="SECONDS", help="longest wait for a first answer (default: 60)"
    )
    process.add_argument(
        "--dry-run", action="store_true", help="probe the machine and print every step, change nothing"
    )
    process.add_argument("--json", type=Path, metavar="FILE", help="write a report with all facts and measurements")
    instead = p.add_argument_group("instead of deploying").add_mutually_exclusive_group()
    instead.add_argument("--status", action="store_true", help="show the state of the service, change nothing")
    instead.add_argument("--rollback", action="store_true", help="return to the release before")
    instead.add_argument(
        "--remove", action="store_true", help="remove the service and all of its data, history included"
    )
    return p


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(lambda: command(parser().parse_intermixed_args())))


def command(args: argparse.Namespace) -> int:
    """Run the command line on all hosts in parallel.

    Parameters
    ----------
    args : argparse.Namespace
        Result of `parser`.

    Returns
    -------
    int
        0 if all hosts succeeded, else 1.

    Raises
    ------
    UsageError
        If arguments contradict each other.
    EdgeError
        If the model, wheel or configuration given here is invalid, or the command is interrupted.
    OSError
        If the report of --json can't be written; nothing is deployed then.
    """
    if bool(args.hosts) == args.here:
        raise UsageError("pass one or more HOSTs, or --here")
    if len(set(args.hosts)) < len(args.hosts):
        raise UsageError("a HOST is given twice")
    check_writable(args.json)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        job = job_of(args, folder)
        hosts: list[Host] = [ThisMachine()] if args.here else [SshHost(name, args.options) for name in args.hosts]
        for host in hosts:
            stack.enter_context(host)
        errors: dict[str, str] = {}
        deployments: list[Deployment] = []
        for host in hosts:  # one after the other: ssh and sudo may ask for a password
            with collected(host, errors):
                target = connect(host)
                printer = progress_printer(host, len(hosts))
                deployments.append(Deployment(host, target, printer, args.dry_run, args.patience))

        def work(deployment: Deployment) -> None:
            with collected(deployment.host, errors):
                job(deployment)

        try:
            with ThreadPoolExecutor(max(1, len(deployments))) as pool:
                list(pool.map(work, deployments))
        except KeyboardInterrupt:  # the terminal has interrupted every ssh, too, and with it the current step
            raise EdgeError("interrupted: run edge-deploy --status to see what is running now") from None
    reports = {d.host.name: {"target": d.target.to_dict(), **d.report} for d in deployments}
    if args.status or len(hosts) > 1:
        with contextlib.suppress(BrokenPipeError):  # nobody reads it; the errors and the report are still wanted
            print(host_table(reports, errors), flush=True)
    for host in hosts:
        if host.name in errors:
            print(f"error: {errors[host.name]}", file=sys.stderr)
    write_json(args.json, {host.name: {**reports.get(host.name, {}), "error": errors.get(host.name)} for host in hosts})
    return 1 if errors else 0


def job_of(args: argparse.Namespace, folder: Path) -> Job:
    """Return the action for each host. Raises EdgeError if a file given here cannot be deployed anywhere."""
    if args.status:
        return Deployment.status
    if args.rollback:
        return Deployment.roll_back
    if args.remove:
        return Deployment.remove
    if args.offline and importlib.util.find_spec("packaging") is None:
        raise EdgeError("--offline needs the package packaging: pip install packaging")
    if args.model is not None:
        from edge.model.file import read_model_file  # imports numpy

        read_model_file(args.model)
    config = None
    if args.config is not None:
        from edge.config import read_config

        read_config(args.config)
        config = args.config.read_text(encoding="utf-8")
    request = DeployRequest(args.wheel or own_wheel(folder), args.device, args.model, config)
    digest(request.wheel)
    return lambda deployment: deployment.deploy(request, args.offline)


def connect(host: Host) -> Target:
    """Connect to a machine, probe it, and ask for the password of sudo if one is needed. Raises EdgeError."""
    host.connect()
    target = probe(host)
    if host.sudo == "password":
        if not sys.stdin.isatty():
            raise EdgeError(f"{host.name}: sudo asks for a password there; run edge-deploy in a terminal to type it")
        host.password = getpass.getpass(f"password of sudo on {host.name}: ")
        host.run(script("true"), root=True)
    return target


@contextlib.contextmanager
def collected(host: Host, errors: dict[str, str]) -> Iterator[None]:
    """Turn any exception into the sentence of this host, so that the other hosts are not affected."""
    try:
        yield
    except Exception as error:
        errors[host.name] = f"{host.name}: {describe(error).removeprefix(f'{host.name}: ')}"


def progress_printer(host: Host, hosts: int) -> Callable[[str], None]:
    """Return a function that prints lines of progress, after the name of the host if there are several."""
    prefix = f"{host.name}: " if hosts > 1 else ""
    lock = threading.Lock()

    def show(text: str) -> None:
        with lock, contextlib.suppress(BrokenPipeError):  # nor must a pipe that nobody reads any more
            for line in text.splitlines():
                print(f"{prefix}{line}", flush=True)

    return show


if __name__ == "__main__":
    main()
