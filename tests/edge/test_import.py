"""`import edge` in somebody else's process."""

import subprocess
import sys
import textwrap
from pathlib import Path

import edge

HEAVY = ("numpy", "tensorflow", "tflite_runtime", "ai_edge_litert", "onnxruntime", "sounddevice", "soundfile", "soxr")

SNAPSHOT = """
    import gc, importlib, os, pkgutil, signal, sys, threading, time

    def snapshot():
        handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        paths = {fd: f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")}
        files = {int(fd): os.readlink(path) for fd, path in paths.items() if os.path.exists(path)}
        return dict(os.environ), handlers, files, threading.active_count(), (sys.stdout, sys.stderr, sys.excepthook)
"""


def run(script: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(SNAPSHOT) + textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_import_edge_changes_nothing_in_the_process() -> None:
    run(
        """
        before = snapshot()
        import edge
        assert snapshot() == before
        """
    )


def test_import_edge_loads_no_heavy_package() -> None:
    loaded = run(
        """
        before = set(sys.modules)
        import edge
        print(*sorted(set(sys.modules) - before))
        """
    ).split()
    assert not {name.partition(".")[0] for name in loaded} & set(HEAVY)
    assert [name for name in loaded if name.startswith("edge")] == ["edge"]


def test_import_edge_takes_at_most_50_milliseconds() -> None:
    script = "began = time.process_time(); import edge; print(time.process_time() - began)"
    assert min(float(run(script)) for _ in range(3)) < 0.05


def test_importing_every_module_leaves_environment_signals_and_streams_alone() -> None:
    modules = run(
        """
        import edge
        before = snapshot()
        for module in pkgutil.walk_packages(edge.__path__, "edge."):
            if not module.name.endswith(".__main__"):
                importlib.import_module(module.name)
                print(module.name)
        environment, handlers, files, _, streams = snapshot()
        assert environment == before[0]
        assert handlers == before[1]
        assert [files[fd] for fd in (0, 1, 2)] == [before[2][fd] for fd in (0, 1, 2)]
        assert streams == before[4]
        """
    ).split()
    assert {"edge.api", "edge.cli.listen", "edge.model.load", "edge.audio.microphone.microphone"} <= set(modules)


def test_every_public_name_is_there() -> None:
    assert set(edge.__all__) <= set(dir(edge))
    for name in edge.__all__:
        assert getattr(edge, name) is not None
    assert edge.__version__


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(edge, "no_such_name")


def test_every_public_class_and_function_has_a_docstring() -> None:
    for name in edge.__all__:
        if callable(getattr(edge, name)):
            assert getattr(edge, name).__doc__, name


def test_the_front_door_is_at_most_60_lines() -> None:
    assert edge.__file__ is not None
    assert len(Path(edge.__file__).read_text(encoding="utf-8").splitlines()) <= 60
