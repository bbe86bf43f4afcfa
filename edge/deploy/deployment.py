"""Deployment on one machine: build a release beside the current one, switch, wait for an answer, or roll back."""

import contextlib
import dataclasses
import io
import json
import tarfile
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.deploy import scripts, service
from edge.deploy.host import Host
from edge.deploy.release import (
    UNIT,
    DeployRequest,
    Release,
    changes,
    current_release,
    only_the_model_differs,
    parse_record,
)
from edge.deploy.shell import Script
from edge.deploy.target import NOT_FOR_32_BITS, Target, blockers
from edge.errors import EdgeError

STABLE_SECONDS = 10.0  # uptime that is enough where the release before heard nothing either


@dataclass
class Deployment:
    """The steps on one machine.

    Parameters
    ----------
    host : Host
        The machine, connected.
    target : Target
        The result of its probe.
    say : callable
        Shows a line of progress.
    dry_run : bool
        Show every step instead of running it; only the state of the service is read.
    patience : float
        Seconds to wait for a first answer.
    report : dict
        Filled with what --json writes: release, service, benchmark.
    """

    host: Host
    target: Target
    say: Callable[[str], None]
    dry_run: bool = False
    patience: float = 60.0
    report: dict[str, Any] = field(default_factory=dict)

    def deploy(self, request: DeployRequest, offline: bool) -> None:
        """Deploy and wait for the first answer; roll back on failure.

        Parameters
        ----------
        request : DeployRequest
            Program, model and configuration.
        offline : bool
            Bring the wheels of all requirements along.

        Raises
        ------
        EdgeError
            If nothing can be deployed there, a step fails, or no answer comes. The release before, if there was one, is
            running then.
        """
        target = self.target
        self.say(f"found {target}")
        if reasons := list(blockers(target, offline)):
            raise EdgeError(f"{self.host.name}: {'; '.join(reasons)}")
        if target.bits == 32:
            self.say(f"32 bits: {', '.join(NOT_FOR_32_BITS)} must come from piwheels, which was never tested")
        present, release = current_release(target), request.release_on(target)
        changed = changes(present, release, target)
        before = service.query(self.host)
        with self._uploads():
            if changed or present is None:
                self.say(f"deploy {release.name}: {', '.join(changed)}")
                self._build(request, release, present, offline)
                self._switch(release, present, before)
            else:
                self.say(f"nothing to do: {present.name} is up to date")
                if not before.answers:
                    self._do("start the service", scripts.RESTART, root=True)
                self._await_answer(present, None)
            self._benchmark()

    def roll_back(self) -> None:
        """Return to the release before. Raises EdgeError if there is none."""
        present = current_release(self.target)
        if present is None:
            raise EdgeError(f"{self.host.name}: nothing is deployed there")
        record = self.host.run(scripts.read_record(present.before)) if present.before else ""
        if not record:
            raise EdgeError(f"{self.host.name}: there is no release before {present.name}")
        self._restore(present, parse_record(json.loads(record)), service.query(self.host), expect_answer=True)

    def remove(self) -> None:
        """Remove everything that deployments have installed and the service has written."""
        output = self._do("remove the service and all of its files", scripts.remove(self.target.folder), root=True)
        if not self.dry_run:
            self.report["release"] = None
            self.status()
            self.say(output.strip() or "everything is removed")

    def status(self) -> None:
        """Add the state of the service to the report."""
        self.report["service"] = service.query(self.host).to_dict()

    def _build(self, request: DeployRequest, release: Release, present: Release | None, offline: bool) -> None:
        """Build a release beside the current one; if that fails it is removed, and nothing else has changed."""
        folder, missing = self.target.folder, self.target.missing_packages
        if missing:
            script = scripts.install_packages(missing, folder)
            self._do(f"install {' and '.join(missing)} with apt", script, root=True, online=True)
        same_requirements = present is not None and (present.requires, present.extras) == (
            release.requires,
            release.extras,
        )
        brought = offline and not same_requirements
        self._upload_parts(request, release, brought)
        make = scripts.make_environment(release, present.name if present else None)
        complete = scripts.complete(release, folder, request.model is not None)
        try:
            self._do("make a virtual environment", make, root=True)
            if present is None or present.wheel != release.wheel or not same_requirements:
                script = scripts.install_wheel(release, folder, request.wheel.name, brought, same_requirements)
                online = not (brought or same_requirements)
                self._do("install the program and its requirements", script, root=True, online=online)
            self._do("add the model and the configuration, and test the release", complete, root=True)
        except BaseException:
            with contextlib.suppress(EdgeError):
                self.host.run(scripts.abandon(release.name), root=True)
            raise

    def _upload_parts(self, request: DeployRequest, release: Release, with_wheels: bool) -> None:
        """Upload the parts of a release, with the wheels of its requirements if asked for."""
        folder = self.target.folder
        with tempfile.TemporaryDirectory() as temporary:
            local = Path(temporary)
            texts = {
                "unit": UNIT.read_text(encoding="utf-8"),
                "config": request.config_on(self.target),
                "release.json": release.to_json(),
            }
            for name, text in texts.items():
                (local / name).write_text(text, encoding="utf-8")
            self._upload(
                [request.wheel, *([request.model] if request.model else []), *map(local.joinpath, texts)], folder
            )
            if with_wheels:
                from edge.deploy import wheels

                self.say("download the wheels of its requirements")
                extras, markers = frozenset(release.extras), self.target.markers
                downloaded = wheels.fetch(request.wheel, extras, markers, self.target.glibc, local / "wheels")
                self._upload(downloaded, f"{folder}/{scripts.WHEELS}")

    def _switch(self, release: Release, present: Release | None, before: service.Service) -> None:
        """Switch to the new release; return to the present one if the new one does not come up."""
        script = scripts.put_config(release.name, present.name if present else None)
        self._do("install the configuration", script, root=True)
        try:
            self._start(release, present, before, expect_answer=present is None or before.answers)
        except BaseException as error:
            if present is not None:
                self._recover(release, present, before.answers, error)
            elif isinstance(error, EdgeError):
                raise EdgeError(f"{error}; the release stays installed and keeps trying") from None
            raise
        self._do("remove older releases", scripts.prune([r.name for r in (release, present) if r]), root=True)

    def _recover(self, failed: Release, present: Release, expect_answer: bool, error: BaseException) -> None:
        """Roll back after any error. Raises EdgeError with the reason, except for an interrupt, which goes on."""
        reason = describe(error).removeprefix(f"{self.host.name}: ")
        self.say(f"{failed.name} did not come up: {reason}")
        self.say(f"roll back to {present.name}")
        try:
            running = service.query(self.host)
        except Exception:  # the service is restarted then, not reloaded
            running = None
        try:
            self._restore(failed, present, running, expect_answer)
        except Exception as second:
            outcome = f"the rollback to {present.name} failed: {describe(second).removeprefix(f'{self.host.name}: ')}"
        else:
            outcome = f"{present.name} is running again"
        if not isinstance(error, Exception):
            self.say(outcome)
            return
        raise EdgeError(f"{self.host.name}: {failed.name} did not come up ({reason}); {outcome}") from error

    def _restore(
        self, abandoned: Release, before: Release, running: service.Service | None, expect_answer: bool
    ) -> None:
        """Return from a release to the one before it."""
        self._do("restore the configuration", scripts.restore_config(before.name, abandoned.name), root=True)
        self._start(before, abandoned, running, expect_answer)

    def _start(
        self, release: Release, other: Release | None, running: service.Service | None, expect_answer: bool
    ) -> None:
        """Start a release in place of another one, and wait for an answer or, if none is expected, for some uptime."""
        active = running is not None and running.active == "active"
        reload = active and other is not None and only_the_model_differs(release, other)
        self._do("start it", scripts.switch(release.name, scripts.RELOAD if reload else scripts.RESTART), root=True)
        if not self.dry_run:
            self.report["release"] = dataclasses.asdict(release)
        if expect_answer:
            self._await_answer(release, None if reload or running is None else running.pid)
        elif not self.dry_run:
            now = service.wait_until_stable(self.host, STABLE_SECONDS)
            self.report["service"] = now.to_dict()
            self.say(f"{release.name} runs without an answer, as the release before did: {now.summary}")

    def _await_answer(self, release: Release, old_pid: int | None) -> None:
        if self.dry_run:
            return
        now = service.wait_for_answer(self.host, release.model, old_pid, self.patience)
        self.report["service"] = now.to_dict()
        self.say(f"{release.name} listens: {now.text}")

    def _benchmark(self) -> None:
        """Run edge-benchmark there and show its verdict; a failure is a warning, because the release runs already."""
        try:
            output = self._do("measure what listening costs", scripts.benchmark(f"{self.target.folder}/benchmark.json"))
            if not self.dry_run:
                report = json.loads(output)
                self.say(report["verdict"])
                self.report["benchmark"] = report
        except (EdgeError, ValueError, KeyError, TypeError) as error:
            reason = describe(error).removeprefix(f"{self.host.name}: ")
            self.report |= {"benchmark": None, "benchmark_error": reason}
            self.say(f"warning: the release runs, but the benchmark failed: {reason}")

    @contextlib.contextmanager
    def _uploads(self) -> Iterator[None]:
        """Keep a folder for uploads on the machine."""
        folder = self.target.folder
        self._do("make a folder for uploads", scripts.make_uploads(folder), quiet=True)
        try:
            yield
        finally:
            with contextlib.suppress(EdgeError):
                self._do("remove the folder for uploads", scripts.remove_uploads(folder), quiet=True)

    def _do(self, step: str, script: Script, root: bool = False, quiet: bool = False, online: bool = False) -> str:
        """Run one step and return its output. An error of an `online` step mentions --offline."""
        if self.dry_run or not quiet:
            self.say(step)
        if self.dry_run:
            self._show(script, root)
            return ""
        try:
            return self.host.run(script, root=root)
        except EdgeError as error:
            hint = "; if that machine has no internet, use --offline" if online else ""
            raise EdgeError(f"{error}{hint}") from None

    def _upload(self, files: Sequence[Path], folder: str) -> None:
        """Copy files into a folder there, as a tar archive through the script's standard input."""
        size = sum(file.stat().st_size for file in files)
        self.say(f"copy {len(files)} files, {size / 1e6:.1f} MB")
        script = scripts.unpack(folder)
        if self.dry_run:
            self.say(textwrap.indent("\n".join(file.name for file in files), "    "))
            self._show(script, root=False)
        else:
            self.host.run(script, stdin=archive(files))

    def _show(self, script: Script, root: bool) -> None:
        self.say(textwrap.indent(script.rstrip(), "    # " if root else "    $ "))


def archive(files: Sequence[Path]) -> bytes:
    """Tar archive of files, by their names alone and readable to everyone."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", dereference=True) as tar:
        for file in files:
            tar.add(file, file.name, recursive=False, filter=_readable)
    return content.getvalue()


def _readable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The member with the mode of a public file. (`TarInfo.replace` needs Python 3.11.4; bookworm has 3.11.2.)"""
    member.mode = 0o644
    return member


def describe(error: BaseException) -> str:
    """One sentence about an error; an unexpected one is named by its type."""
    if isinstance(error, EdgeError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"unexpected {type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
