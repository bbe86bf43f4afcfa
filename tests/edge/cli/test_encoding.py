"""Standard output in an encoding other than UTF-8: characters degrade, and no command ends with a traceback."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LATIN_1 = {"PYTHONIOENCODING": "latin-1"}
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NOT_UTF8 = pytest.mark.parametrize("environment", [LATIN_1, ASCII], ids=["latin-1", "ascii"])
UTF8 = {"PYTHONIOENCODING": "utf-8"}


def run(module: str, *arguments: object, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", module, *map(os.fsencode, map(str, arguments))],
        capture_output=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    return done


@NOT_UTF8
def test_the_help_is_printed(environment: dict[str, str]) -> None:
    done = run("edge.cli.listen", "--help", environment=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"part of a name ?" in done.stdout
    assert done.stdout.endswith(b"edge/README.md\n")


@NOT_UTF8
def test_the_demo_is_printed(environment: dict[str, str]) -> None:
    done = run("edge.cli.listen", "--demo", environment=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"listening ?" in done.stdout.splitlines()[0]
    assert b"all of it:" in done.stdout.splitlines()[-1]


@NOT_UTF8
def test_the_microphones_are_listed(environment: dict[str, str]) -> None:
    """A machine may have none, which is a sentence with status 0 or 1, not a traceback."""
    done = run("edge.cli.listen", "--list-devices", environment=environment)
    assert done.returncode in (0, 1)
    assert done.stdout or done.stderr.startswith(b"error: ")


@NOT_UTF8
def test_a_devices_name_degrades(environment: dict[str, str]) -> None:
    code = (
        "import sys; from edge.cli.exit_status import run\n"
        "sys.exit(run(lambda: print('Mikrofon \\u2013 \\u4e2d\\u6587') or 0))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **environment}, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Mikrofon ? ??\n", b"")


@NOT_UTF8
def test_a_table_is_written(environment: dict[str, str], melody: Path) -> None:
    path = shutil.copy(melody, melody.with_name("日本.wav"))
    done = run("edge.cli.label", path, environment=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    header, row = done.stdout.splitlines()
    assert header == b"path,state,label,confidence,seconds"
    assert row.startswith(os.fsencode(melody.parent) + b"/?")


@NOT_UTF8
def test_json_lines_stay_utf8(environment: dict[str, str]) -> None:
    code = (
        "import sys; from edge.cli import listen\n"
        "from edge.cli.exit_status import run\n"
        'listen.print_devices = lambda as_json: print(\'{"name": "\\u4e2d"}\') or 0\n'
        "sys.argv = ['edge-listen', '--list-devices', '--json']; listen.main()"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **environment}, check=False)
    assert json.loads(done.stdout.decode("utf-8")) == {"name": "中"}


def test_a_file_name_that_is_not_utf8_is_printed_as_its_bytes(melody: Path) -> None:
    odd = os.fsencode(melody.parent) + b"/\xff,\xfe.wav"
    shutil.copy(melody, odd)
    done = run("edge.cli.listen", os.fsdecode(odd), "--check", environment=UTF8)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"source: " + odd in done.stdout
