"""The worker imports nothing from the folder in which a program was started."""

from pathlib import Path

import pytest

from edge.audio.microphone.protocol import STARTED, OpenRequest
from edge.audio.microphone.supervisor import START_SECONDS, WorkerProcess


def test_a_module_in_the_current_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("import pathlib\npathlib.Path('was-run').touch()\nraise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    worker = WorkerProcess(OpenRequest("missing", None, 0.25))
    try:
        message = worker.receive(START_SECONDS)
    finally:
        worker.kill()
    assert message is not None
    assert message.kind == STARTED
    assert not (tmp_path / "was-run").exists()
