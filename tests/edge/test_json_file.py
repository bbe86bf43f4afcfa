import json
from pathlib import Path

import pytest

from edge.json_file import check_writable, write_json


def test_a_check_leaves_no_trace(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("{}")
    check_writable(kept)
    check_writable(tmp_path / "new.json")
    check_writable(None)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]
    assert kept.read_text() == "{}"


def test_a_path_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check_writable(tmp_path / "missing" / "out.json")
    with pytest.raises(IsADirectoryError):
        check_writable(tmp_path)


def test_a_report_is_written_as_one_json_object(tmp_path: Path) -> None:
    write_json(tmp_path / "out.json", {"a": [1, None]})
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": [1, None]}
