"""The worker imports nothing from the folder in which a program was started."""

from pathlib import Path

import pytest
from helpers.capture import first_message

from edge.audio.microphone.protocol import STARTED


def test_a_module_in_the_current_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("import pathlib\npathlib.Path('was-run').touch()\nraise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    message = first_message()
    assert message is not None
    assert message.kind == STARTED
    assert not (tmp_path / "was-run").exists()
