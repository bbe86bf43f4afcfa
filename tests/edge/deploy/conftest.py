"""A machine without systemd: this one, with paths in a temporary folder and stand-ins for systemctl and journalctl."""

from pathlib import Path

import pytest
from helpers.deployed import SYSTEMCTL, FakeSystemd, Machine

from edge.deploy import deployment, layout, service

NASTY_FOLDER = 'first last\'s $HOME `id` "*" ;'


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSystemd:
    """Paths of layout in a folder with a nasty name, and the stand-ins first on the PATH."""
    root, bin_folder, state = tmp_path / NASTY_FOLDER, tmp_path / "bin", tmp_path / "systemd"
    for folder in (root, bin_folder, state):
        folder.mkdir()
    home = root / "edge-listen"
    paths = {
        "HOME": home,
        "RELEASES": home / "releases",
        "CURRENT": home / "current",
        "PACKAGES": home / "packages",
        "MODEL": home / "current/model",
        "UNIT": root / "edge-listen.service",
        "CONFIG": root / "edge-listen.toml",
        "SECRETS": root / "edge-listen.env",
        "STATUS": root / "status.json",
    }
    for name, path in paths.items():
        monkeypatch.setattr(layout, name, str(path))
    monkeypatch.setattr(layout, "STATE", (str(root / "state"), str(root / "private state")))
    monkeypatch.setattr(service, "POLL_SECONDS", 0.01)
    for name, text in (("systemctl", SYSTEMCTL), ("journalctl", "#!/bin/sh\necho a line of its log\n")):
        (bin_folder / name).write_text(text)
        (bin_folder / name).chmod(0o755)
    (state / "pid").write_text("7")
    (state / "calls").touch()
    monkeypatch.setenv("PATH", str(bin_folder), prepend=":")
    for name, value in (("FAKE_SYSTEMD", state), ("CURRENT", home / "current"), ("STATUS", root / "status.json")):
        monkeypatch.setenv(name, str(value))
    return FakeSystemd(state)


@pytest.fixture
def machine(tmp_path: Path, systemd: FakeSystemd, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which nothing is deployed."""
    monkeypatch.setattr(deployment, "STABLE_SECONDS", 0.0)
    Path(layout.HOME).mkdir()
    return Machine(tmp_path, systemd)
