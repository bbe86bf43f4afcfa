import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.benchmark.subprocess_json import module_json, printed_json
from edge.benchmark.whole_command import cpu_ms
from edge.errors import EdgeError
from edge.model.load import SHIPPED_MODEL


def printed(code: str) -> dict[str, object]:
    return printed_json([sys.executable, "-c", code], "x.tflite", environment=os.environ)


def test_what_a_command_prints_is_read_as_json() -> None:
    assert printed("print('{\"a\": 1}')") == {"a": 1}
    assert printed("") == {}


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import sys; sys.exit('noise\\nerror: too new')", "^too new$"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "^x.tflite: its process crashed with signal 9$"),
    ],
)
def test_a_command_that_fails_is_an_error_with_its_last_line(code: str, sentence: str) -> None:
    with pytest.raises(EdgeError, match=sentence):
        printed(code)


def test_a_module_in_the_current_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy.py").write_text("import pathlib\npathlib.Path('was-run').touch()\nraise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    assert module_json("edge.benchmark.network", str(SHIPPED_MODEL))["count"] > 0
    soundfile.write("silence.wav", np.zeros(22_050), 22_050)
    assert cpu_ms(SHIPPED_MODEL, Path("silence.wav"), 0.5) > 0
    assert not Path("was-run").exists()


@pytest.mark.parametrize(("of_user", "expected"), [(None, "1"), ("2", "2")])
def test_a_module_gets_one_blas_thread_unless_the_user_has_set_another_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_user: str | None, expected: str
) -> None:
    (tmp_path / "shown.py").write_text("import os; print('{\"n\": ' + os.environ['OPENBLAS_NUM_THREADS'] + '}')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    if of_user is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", of_user)
    assert module_json("shown", "x") == {"n": int(expected)}
