"""The story on one machine: look it over, put a release beside the one that runs, switch, wait for its first answer."""

import contextlib
import dataclasses
import json
import shlex
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.deploy import layout, scripts, service
from edge.deploy.host import Host
from edge.deploy.target import NOT_FOR_32_BITS, Target, hindrances
from edge.deploy.release import UNIT, Release, Wanted, changes, only_the_model_differs, parse_record, release_of
from edge.errors import EdgeError

LIFE_SECONDS = 10.0  # that a program has to last where there is nothing to hear


@dataclass
class Deployment:
    """One machine, and how a person is told what happens there.

    With `dry` the machine is looked over, and every other step is told instead of done.
    """

    host: Host
    target: Target
    say: Callable[[str], None]
    dry: bool = False
    patience: float = 60.0  # seconds for a first answer
    found: dict[str, Any] = field(default_factory=dict)  # more of this machine, for the report

    def deploy(self, wanted: Wanted, offline: bool) -> None:
        """Have a release there that hears. Raise EdgeError where that can't be; what ran before runs again then."""
        target = self.target
        self.say(f"found {target}")
        if reasons := list(hindrances(target, offline)):
            raise EdgeError(f"{self.host.name}: {'; '.join(reasons)}")
        if target.bits == 32:
            self.say(f"with 32 bits {', '.join(NOT_FOR_32_BITS)} must come from piwheels, which was never tried")
        present, release = release_of(target), wanted.on(target)
        changed = changes(present, release, target)
        before = service.ask(self.host)
        with self._uploads():
            if changed or present is None:
                self.say(f"deploys {release.name}: {', '.join(changed)}")
                self._build(wanted, release, present, offline)
                self._switch(release, present, before)
            else:
                self.say(f"all of it is there already, as {present.name}")
                if not before.answers:
                    self._do("start the service", scripts.RESTART, root=True)
                self._await(present, None)
            self._measure()

    def roll_back(self) -> None:
        """Let the release before run again. Raise EdgeError where there is none."""
        present = release_of(self.target)
        if present is None:
            raise EdgeError(f"{self.host.name}: nothing is deployed there")
        record = self.host.run(f"cat {scripts.folder_of(present.before or '-')}/{layout.RECORD} 2> /dev/null || true")
        if not record:
            raise EdgeError(f"{self.host.name}: there is no release from before {present.name}")
        self._back(present, parse_record(json.loads(record)), hears=True)

    def remove(self) -> None:
        """Leave nothing there that any deployment has brought."""
        said = self._do("remove all of it", scripts.remove(self.target.folder), root=True)
        if not self.dry:
            self.found["release"] = None
            self.status()
            self.say(said.strip() or "nothing of it is left")

    def status(self) -> None:
        """Find out how it goes."""
        self.found["service"] = dataclasses.asdict(service.ask(self.host))

    def _build(self, wanted: Wanted, release: Release, present: Release | None, offline: bool) -> None:
        """Put a release beside the one that runs. If that fails nothing of it stays, and nothing else has changed."""
        folder, missing = self.target.folder, self.target.missing_packages
        if missing:
            script = scripts.install_packages(missing, folder)
            self._do(f"let apt install {' and '.join(missing)}", script, root=True, online=True)
        needs_same = present is not None and (present.requires, present.extras) == (release.requires, release.extras)
        brought = self._copy_all(wanted, release, offline and not needs_same)
        make = scripts.make_environment(release, present.name if present else None)
        complete = scripts.complete(release, folder, wanted.model is not None)
        try:
            self._do("make its virtual environment", make, root=True)
            if present is None or present.wheel != release.wheel or not needs_same:
                script = scripts.install_wheel(release, folder, wanted.wheel.name, brought, needs_same)
                self._do("install the program and what it needs", script, root=True, online=not (brought or needs_same))
            self._do("complete it, and try it", complete, root=True)
        except BaseException:
            with contextlib.suppress(EdgeError):
                self.host.run(scripts.abandon(release.name), root=True)
            raise

    def _copy_all(self, wanted: Wanted, release: Release, with_wheels: bool) -> bool:
        """Copy what a release is made of, with or without the wheels that it needs; whether they were brought."""
        folder = self.target.folder
        with tempfile.TemporaryDirectory() as here:
            texts = {
                "unit": UNIT.read_text(),
                "config": wanted.config_on(self.target),
                "release.json": release.to_json(),
            }
            for name, text in texts.items():
                (Path(here) / name).write_text(text, encoding="utf-8")
            files = [wanted.wheel, *([wanted.model] if wanted.model else []), *(Path(here) / name for name in texts)]
            self._copy([file.resolve() for file in files], folder)
            if with_wheels:
                from edge.deploy import wheels

                self.say("fetch the wheels that it needs")
                extras, markers = frozenset(release.extras), self.target.markers
                fetched = wheels.fetch(wanted.wheel, extras, markers, self.target.glibc, Path(here) / "wheels")
                self._do("make a folder for them", f"mkdir {folder}/{scripts.WHEELS}", quiet=True)
                self._copy(fetched, f"{folder}/{scripts.WHEELS}")
        return with_wheels

    def _switch(self, release: Release, present: Release | None, before: service.Service) -> None:
        """From the release that runs to the one that was built; back again if that doesn't come up."""
        script = scripts.put_config(release.name, present.name if present else None)
        self._do("put the configuration in its place", script, root=True)
        try:
            self._run(release, present, before, hears=present is None or before.answers)
        except EdgeError as error:
            if present is None:
                raise EdgeError(f"{error}; it stays there, and goes on trying") from None
            self.say(f"{error}; goes back to {present.name}")
            self._back(release, present, before.answers)
            raise EdgeError(f"{self.host.name}: {release.name} didn't come up, and {present.name} runs again") from None
        self._do("remove what is older", scripts.prune([r.name for r in (release, present) if r]), root=True)

    def _back(self, abandoned: Release, before: Release, hears: bool) -> None:
        """From a release to the one before it, which `hears` if all is well."""
        running = service.ask(self.host)
        self._do("put the configuration back", scripts.restore_config(before.name, abandoned.name), root=True)
        self._run(before, abandoned, running, hears)

    def _run(self, release: Release, other: Release | None, running: service.Service, hears: bool) -> None:
        """Let a release run in place of another one, and wait for its first answer, or else for it to stay alive."""
        goes_on = other is not None and only_the_model_differs(release, other) and running.active == "active"
        self._do("let it run", scripts.switch(release.name, scripts.RELOAD if goes_on else scripts.RESTART), root=True)
        if not self.dry:
            self.found["release"] = dataclasses.asdict(release)
        if hears:
            self._await(release, None if goes_on else running.pid)
        elif not self.dry:
            now = service.wait_for_life(self.host, LIFE_SECONDS)
            self.found["service"] = dataclasses.asdict(now)
            self.say(f"runs, and hears as little as the one before: {now.words}")

    def _await(self, release: Release, old_pid: int | None) -> None:
        if self.dry:
            return
        now = service.wait_for_answer(self.host, release.model, old_pid, self.patience)
        self.found["service"] = dataclasses.asdict(now)
        self.say(f"{release.name} listens: {now.text}")

    def _measure(self) -> None:
        """Run the benchmark there, and say its verdict."""
        script = scripts.benchmark(f"{self.target.folder}/latency.json")
        if told := self._do("measure what listening costs", script):
            self.found["benchmark"] = json.loads(told)
            self.say(self.found["benchmark"]["verdict"])

    @contextlib.contextmanager
    def _uploads(self) -> Iterator[None]:
        """The folder that takes files for a while."""
        remove = f"rm -rf {self.target.folder}"
        self._do("make a folder for what is copied", f"{remove}\nmkdir -p {self.target.folder}", quiet=True)
        try:
            yield
        finally:
            with contextlib.suppress(EdgeError):
                self._do("remove that folder", remove, quiet=True)

    def _do(self, what: str, script: str, root: bool = False, quiet: bool = False, online: bool = False) -> str:
        """What a step prints; an `online` one needs the internet there."""
        if self.dry or not quiet:
            self.say(what)
        if self.dry:
            self.say(textwrap.indent(script.rstrip(), "    # " if root else "    $ "))
            return ""
        try:
            return self.host.run(script, root=root)
        except EdgeError as error:
            hint = "; if that machine has no internet: --offline" if online else ""
            raise EdgeError(f"{error}{hint}") from None

    def _copy(self, files: Sequence[Path], folder: str) -> None:
        self.say(f"copy {len(files)} files, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB")
        if self.dry:
            self.say(textwrap.indent(shlex.join(self.host.copy_command(files, folder)), "    "))
        else:
            self.host.copy(files, folder)
