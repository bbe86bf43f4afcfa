"""The counting of Arm instructions, as far as it needs no emulator; make bench-arm tests the rest."""

import itertools
from pathlib import Path

import pytest
from helpers.support import Run, one_sentence

from benchmarks.cost.arm import wheels
from benchmarks.cost.arm.count import Count, table, verdict
from benchmarks.cost.arm.emulator import Emulator
from benchmarks.cost.arm.guest import counted, instructions, overhead
from edge.benchmark.measurement import END_TO_END, MODEL, RESAMPLE, STAGES
from edge.config import HOP_SECONDS
from edge.deploy.package import own_wheel
from edge.deploy.wheels import needs
from edge.errors import EdgeError
from edge.model.load import SHIPPED_MODEL

GOOD_QEMU = "qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7)"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with all its parts, empty."""
    python = tmp_path / "root/usr/bin/python3.11"
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / "site").mkdir()
    (tmp_path / "count_instructions.so").touch()
    return tmp_path


def install_qemu(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str, emulates: str = "true") -> None:
    """Install the only program: it prints a version, or runs one line of shell in place of the guest."""
    programs = folder / "programs"
    programs.mkdir()
    qemu = programs / "qemu-aarch64"
    qemu.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; exit; fi\n{emulates}\n')
    qemu.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))


def count(model: str, total: float) -> Count:
    return Count(model, "stream", "float32", "runtime 1", {**dict.fromkeys(STAGES, 1e6), END_TO_END: total}, 3000.4)


def test_the_pi_gets_this_projects_requirements_and_the_runtime_of_its_own_python(tmp_path: Path) -> None:
    names = [need.name for need in needs(own_wheel(tmp_path), wheels.EXTRAS, wheels.MARKERS)]
    assert {"tflite-runtime", "numpy", "soundfile", "soxr", "onnxruntime"} <= set(names)
    assert "ai-edge-litert" not in names
    assert len(set(names)) == len(names)


def test_the_clock_reads_the_number_in_the_file_as_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_bytes((7).to_bytes(8, "little"))
    clock = instructions(path)
    assert clock() == 7
    with path.open("r+b") as file:
        file.write((1 << 40).to_bytes(8, "little"))
    assert clock() == 1 << 40


def test_counts_are_per_second_of_audio_and_by_stage(melody: Path) -> None:
    ticks = itertools.count()
    found = counted(SHIPPED_MODEL, melody, ticks.__next__)  # a watched call spends one tick: the one that ends it
    assert found.per_audio_s[RESAMPLE] == 1 / HOP_SECONDS
    assert found.per_audio_s[MODEL] > 0
    assert all(found.per_audio_s[stage] > 0 for stage in STAGES)
    assert sum(found.per_audio_s[stage] for stage in STAGES) == pytest.approx(found.per_audio_s[END_TO_END])
    assert (found.mode, found.format) == ("stream", "float32")


def test_watching_a_call_reads_the_clock_twice() -> None:
    assert overhead(itertools.count().__next__) == 2


def test_the_table_has_a_row_for_each_model_and_says_what_counting_takes() -> None:
    head, first, second, counting = table([count("a.tflite", 4.2e6), count("long/b.onnx", 51.8e6)]).splitlines()
    assert head.split("  ")[0] == "M instructions per second of audio"
    assert first.split() == ["a.tflite", *["1.000"] * 4, "4.200", "float32", "stream,", "runtime", "1"]
    assert first.index("4.200") + 1 == second.index("51.800") + 2
    assert " 3000 instructions" in counting


def test_the_verdict_is_of_one_model_or_spans_several() -> None:
    several = [count("b", 9e6), count("a", 4.2e6), count("c", 7e6)]
    assert verdict(several[:1], "cortex-a72") == "One second of audio takes a cortex-a72 9.00 M instructions with b."
    assert "from 4.20 M instructions with a to 9.00 M instructions with b" in verdict(several, "cortex-a72")


def test_a_missing_tree_is_named(run: Run, tmp_path: Path) -> None:
    done = run("benchmarks.cost.arm", "--tree", tmp_path)
    assert done.returncode == 1
    assert one_sentence(done) == f"error: {tmp_path}/root/usr/bin/python3.11: not found; make bench-arm makes it\n"


def test_a_file_that_is_not_a_model_is_refused_before_anything_is_emulated(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(b"no model")
    done = run("benchmarks.cost.arm", wrong, "--tree", tmp_path)
    assert done.returncode == 1
    assert one_sentence(done).startswith(f"error: {wrong}: ")


def test_an_unknown_processor_is_refused_with_the_known_ones(run: Run) -> None:
    done = run("benchmarks.cost.arm", "--cpu", "z80")
    assert done.returncode == 2
    assert "cortex-a76" in done.stderr


def test_without_qemu_the_error_says_what_to_install(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree))
    with pytest.raises(EdgeError, match=r"^qemu-aarch64 is not installed: apt-get install qemu-user$"):
        Emulator(tree, "cortex-a72")


@pytest.mark.parametrize(
    ("printed", "reason"),
    [("qemu-aarch64 version 10.0.2", "is version 10.0"), ("something else", "reports no version")],
)
def test_a_qemu_of_another_plugin_api_is_refused(
    tree: Path, monkeypatch: pytest.MonkeyPatch, printed: str, reason: str
) -> None:
    install_qemu(tree, monkeypatch, printed)
    with pytest.raises(EdgeError, match=rf"{reason}; the counting plugin works in 7\.2"):
        Emulator(tree, "cortex-a72")


def test_the_guest_sees_the_processor_and_nothing_of_the_users_environment(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shows = """printf '{"arguments": "%s", "seed": "%s", "leaked": "%s"}' "$*" "$PYTHONHASHSEED" "$LEAKED" """
    install_qemu(tree, monkeypatch, GOOD_QEMU, shows)
    monkeypatch.setenv("LEAKED", "yes")
    printed = Emulator(tree, "cortex-a76").run("some.module", "model.tflite")
    plugin = f"-plugin {tree}/count_instructions.so,count={tree}/count"
    python = f"{tree}/root/usr/bin/python3.11 -m some.module model.tflite {tree}/count"
    assert printed["arguments"] == f"-cpu cortex-a76 -L {tree}/root {plugin} {python}"
    assert (printed["seed"], printed["leaked"]) == ("0", "")
    cpuinfo = (tree / "root/proc/cpuinfo").read_text()
    assert cpuinfo.count("CPU part\t: 0xd0b\n") == cpuinfo.count("processor\t: ") == 4


@pytest.mark.parametrize(
    ("emulates", "sentence"),
    [
        ("echo noise >&2; echo 'error: model.tflite: too new' >&2; exit 1", "^model.tflite: too new$"),
        ("exit 3", "^the emulated process failed with exit status 3 and without a message$"),
        ("kill -SEGV $$", "^model.tflite: the emulated process crashed with signal 11$"),
    ],
)
def test_a_guest_that_fails_is_an_error_with_its_last_line(
    tree: Path, monkeypatch: pytest.MonkeyPatch, emulates: str, sentence: str
) -> None:
    install_qemu(tree, monkeypatch, GOOD_QEMU, emulates)
    with pytest.raises(EdgeError, match=sentence):
        Emulator(tree, "cortex-a72").run("some.module", "model.tflite")
