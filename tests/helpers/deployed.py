"""Helpers for tests of the deployment: a machine to deploy to, and a small wheel."""

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.deploy import layout, scripts
from edge.deploy.deployment import Deployment
from edge.deploy.host import ThisMachine
from edge.deploy.release import UNIT, DeployRequest, Release
from edge.deploy.target import Target

VERDICT = "This machine keeps up."

MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.2",
    "os_name": "posix",
    "platform_machine": "aarch64",
    "platform_python_implementation": "CPython",
    "platform_release": "6.6",
    "platform_system": "Linux",
    "platform_version": "#1",
    "python_full_version": "3.11.2",
    "python_version": "3.11",
    "sys_platform": "linux",
}
# Stands for systemctl. The state of the service is kept in files of the folder $FAKE_SYSTEMD; a release with a file
# `silent` in its folder gives no answer.
SYSTEMCTL = """\
#!/bin/sh
cd "$FAKE_SYSTEMD"
[ "$1" != --quiet ] || shift
case $1 in
show)
    if [ -e replies/1 ]; then
        cat replies/1
        rm replies/1
        exit
    fi
    printf 'ActiveState=active\\nMainPID=%s\\nNRestarts=0\\nStatusText=jazz 91%%\\n' "$(cat pid)"
    echo ExecMainStartTimestampMonotonic=0
    ;;
restart|reload)
    echo "$1 $(readlink "$CURRENT")" >> calls
    [ "$1" = reload ] || echo $(($(cat pid) + 1)) > pid
    state=music
    [ ! -e "$CURRENT/silent" ] || state=lost
    digest=$(sha256sum < "$CURRENT/model" | cut -d ' ' -f 1)
    printf '{"state": "%s", "model_sha256": "%s"}\\n' "$state" "$digest" > "$STATUS"
    ;;
disable)
    echo disable >> calls
    ;;
esac
"""


@dataclass
class FakeSystemd:
    """The stand-in for systemctl: what it was asked for, and what it says."""

    folder: Path

    @property
    def calls(self) -> list[str]:
        """Each restart and reload with the link to the release of that time."""
        return (self.folder / "calls").read_text().splitlines()

    def reply_once(self, text: str) -> None:
        """Let the next `systemctl show` print this."""
        (self.folder / "replies").mkdir(exist_ok=True)
        (self.folder / "replies/1").write_text(text)


def target(**changes: object) -> Target:
    """Return a Raspberry Pi 4 with a microphone and Raspberry Pi OS Bookworm, with changes."""
    pi = {
        "board": "Raspberry Pi 4 Model B Rev 1.4",
        "system": "Debian GNU/Linux 12 (bookworm)",
        "markers": MARKERS,
        "bits": 64,
        "glibc": "2.36",
        "folder": "/home/pi/.cache/edge-deploy",
        "sudo": "free",
        "systemd": True,
        "apt": True,
        "portaudio": True,
        "venv": True,
        "free_bytes": 20 << 30,
        "memory_bytes": 4 << 30,
        "free_memory_bytes": 3 << 30,
        "temperature_c": 48.2,
        "cards": ["hw:1 USB Audio (usb:046d:0825)"],
        "foreign_install": False,
        "release": None,
        "config": None,
        "unit": None,
    }
    return Target(**{**pi, **changes})  # type: ignore[arg-type]


def wheel(
    folder: Path,
    files: Mapping[str, bytes] | None = None,
    name: str = "edge_listen-1.0",
    requires: str = "",
    tag: str = "py3-none-any",
) -> Path:
    """Write a wheel with a model and these files; `requires` holds lines of its METADATA."""
    path = folder / f"{name}-{tag}.whl"
    folder.mkdir(exist_ok=True)
    project, version = name.split("-")
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n{requires}"
    inside = {"edge/data/model.tflite": b"model", f"{name}.dist-info/METADATA": metadata.encode(), **(files or {})}
    tags = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
    inside[f"{name}.dist-info/WHEEL"] = tags.encode()
    inside[f"{name}.dist-info/RECORD"] = "".join(f"{each},,\n" for each in inside).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in inside.items():
            archive.writestr(each, content)
    return path


def benchmark_of(behaviour: str) -> str:
    """Text of an edge-benchmark; `$2` is the file of its report."""
    return f'#!/bin/sh\n[ "$1" = --json ] || exit 9\necho a line for people\n{behaviour}\n'


GOOD_BENCHMARK = benchmark_of(f"""echo '{{"verdict": "{VERDICT}"}}' > "$2\"""")


class Machine:
    """A machine with the stand-in for systemd, and deployments to it whose releases are folders without a Python."""

    def __init__(self, folder: Path, systemd: FakeSystemd) -> None:
        self.systemd = systemd
        self.uploads = folder / "home/first last/.cache/edge-deploy"
        self.wheels = folder / "wheels"
        self.lines: list[str] = []
        self.host = ThisMachine()

    @property
    def target(self) -> Target:
        """The facts of now."""
        record, config, unit = (
            Path(path) for path in (f"{layout.CURRENT}/{layout.RECORD}", layout.CONFIG, layout.UNIT)
        )
        return target(
            folder=str(self.uploads),
            release=json.loads(record.read_text()) if record.exists() else None,
            config=config.read_text() if config.exists() else None,
            unit=unit.read_text() if unit.exists() else None,
        )

    def deployment(self, **options: object) -> Deployment:
        """A new deployment; what it says is added to `lines`."""
        return Deployment(self.host, self.target, self.lines.append, **options)  # type: ignore[arg-type]

    def deploy(
        self, device: str, *extra: str, benchmark: str | None = GOOD_BENCHMARK, patience: float = 5
    ) -> Deployment:
        """Deploy a configuration with this device; `extra` are files that the release has beside it."""
        now = self.deployment(patience=patience)
        now._build = fake_build(self.host, extra, benchmark)  # type: ignore[method-assign]
        program = wheel(self.wheels, name=f"edge_listen-1.{len(self.lines)}")  # names of releases have seconds
        now.deploy(DeployRequest(program, device=device), offline=False)
        return now

    @property
    def started(self) -> list[str]:
        """Names of the releases that were started, in order."""
        return [Path(call.partition(" ")[2]).name for call in self.systemd.calls]

    @property
    def release(self) -> str:
        """Name of the current one."""
        return Path(layout.CURRENT).resolve().name


def fake_build(host: ThisMachine, extra: tuple[str, ...], benchmark: str | None) -> Callable[..., None]:
    """Stands for Deployment._build, whose scripts test_scripts runs: it needs a minute and a network."""

    def build(request: DeployRequest, release: Release, present: Release | None, offline: bool) -> None:
        share = Path(scripts.share_of(release.name))
        folder = Path(scripts.folder_of(release.name))
        share.mkdir(parents=True)
        (folder / "bin").mkdir()
        (folder / "model").write_bytes(b"model")
        (share / "unit").write_text(UNIT.read_text())
        before = Path(layout.CONFIG)
        now = target(config=before.read_text() if before.exists() else None)
        (share / "config").write_text(request.config_on(now))
        (folder / layout.RECORD).write_text(release.to_json())
        for name in extra:
            (folder / name).touch()
        if benchmark is not None:
            (folder / "bin/edge-benchmark").write_text(benchmark)
            (folder / "bin/edge-benchmark").chmod(0o755)

    return build
