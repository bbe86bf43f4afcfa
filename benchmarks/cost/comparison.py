"""Competitors beside the project's model, measured in the same way."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.cost.competitors import COMPETITORS, WINDOW_TFLITE, competitor
from edge.benchmark.measurement import END_TO_END, FRONT_END, MODEL, Measurement
from edge.benchmark.subprocess_json import module_json
from edge.benchmark.suite import measure_in_process
from edge.errors import EdgeError
from edge.table import format_table

COMPARED = (END_TO_END, FRONT_END, MODEL)


def compare(folder: Path, arguments: Sequence[str]) -> tuple[list[Measurement], list[str]]:
    """Measure the competitors that this machine has.

    Parameters
    ----------
    folder
        Folder that the networks of the competitors are written to.
    arguments
        Arguments of the worker after the model (`Conditions.worker_arguments`).

    Returns
    -------
    measured : list of Measurement
    skipped : list of str
        One line for each competitor that is missing or fails; the project's own numbers are reported all the same.
    """
    measured, skipped = list[Measurement](), list[str]()
    for each in COMPETITORS:
        if each.missing:
            missing = ", ".join(each.missing)
            skipped.append(f"not measured: {each.name}: missing {missing} (pip install '.[bench]')")
            continue
        try:
            if not each.front_end_only and not (folder / WINDOW_TFLITE).exists():
                module_json("benchmarks.cost.window_networks", str(folder))
            option = f"--competitor={each.name}"
            measured.append(measure_in_process("benchmarks.cost.worker", str(folder), *arguments, option))
        except EdgeError as error:
            skipped.append(f"not measured: {each.name}: {error}")
    return measured, skipped


def competitor_table(ours: Measurement, theirs: Sequence[Measurement]) -> str:
    """CPU time of each competitor by stage, and as a multiple of ours."""
    rows = [("CPU ms per s of audio", *(cell for stage in COMPARED for cell in (stage.replace("_", " "), "")))]
    for measurement in (ours, *theirs):
        only_front_end = measurement is not ours and competitor(measurement.model).front_end_only
        cells = list[str]()
        for stage in COMPARED:
            cpu_ms, our_ms = (m.costs[stage].cpu_ms_per_audio_s for m in (measurement, ours))
            compared = stage == FRONT_END or not only_front_end
            cells += [f"{cpu_ms:.3f}", f"({cpu_ms / our_ms:.1f}x)"] if compared else ["-", ""]
        rows.append((measurement.model, *cells))
    return format_table(rows, f"<{'>>' * len(COMPARED)}")
