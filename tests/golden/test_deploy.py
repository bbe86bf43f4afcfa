"""The report that edge-deploy --json writes."""

import json
import subprocess
from pathlib import Path
from typing import Any

from golden.commands import run
from golden.recording import check


def report(path: Path, *words: str) -> dict[str, Any]:
    """The report of a deployment that can't succeed, and changes nothing."""
    run("edge-deploy", *words, "--json", path, stdin=subprocess.DEVNULL, start_new_session=True)
    return json.loads(path.read_text(encoding="utf-8"))


def test_report_of_a_host_that_is_not_there(tmp_path: Path) -> None:
    hosts = report(tmp_path / "report.json", "host.invalid")
    assert list(hosts) == ["host.invalid"]
    assert list(hosts["host.invalid"]) == ["error"]
    assert hosts["host.invalid"]["error"]


def test_keys_of_what_is_found_on_a_machine(tmp_path: Path) -> None:
    (machine,) = report(tmp_path / "report.json", "--here", "--dry-run").values()
    assert {"target", "error"} <= machine.keys()
    check("deploy_target.txt", "".join(f"{key}\n" for key in machine["target"]))
