import pytest
from helpers.measurements import machine, measurement, results

from edge.benchmark.measurement import END_TO_END, STAGES
from edge.benchmark.tables import costs, networks, processes, verdict, whole_commands


def test_the_verdict_names_hop_and_share() -> None:
    expected = (
        "This machine (Raspberry Pi 9, runtime 1, governor ondemand, temperature 61.0 °C, throttling none) keeps up at "
        "a hop of 0.5 s with 0.40% of one core (a.tflite)."
    )
    assert verdict([measurement()], machine()) == expected


def test_the_verdict_spans_several_models() -> None:
    sentence = verdict([measurement("a.onnx"), measurement("b.onnx", cpu_ms=20)], machine())
    assert "2 models, which take from 0.40% of one core (a.onnx) to 2.00% (b.onnx)" in sentence


@pytest.mark.parametrize("late", [{"p99_ms": 501.0}, {"real_time_factor": 1.1}])
def test_the_verdict_names_the_model_that_is_late(late: dict[str, float]) -> None:
    slow = measurement("slow.tflite", cpu_ms=900, **late)
    assert ") does not keep up at a hop of 0.5 s: 90.00% of one core" in verdict([slow], machine())
    sentence = verdict([measurement(), slow], machine())
    assert ") keeps up at" in sentence
    assert sentence.endswith("; it does not with 90.00% of one core (slow.tflite).")


def test_the_table_of_costs_has_a_row_for_each_stage() -> None:
    heading, *rows = costs([measurement(), measurement("b.tflite")]).splitlines()
    assert heading.endswith("CPU ms per s of audio")
    assert len(rows) == 2 * len((*STAGES, END_TO_END))
    assert rows[0].split() == ["a.tflite", "resample", "1.000", "1.500", "2.000", "3.000", "4.000"]
    assert rows[-1].split()[:3] == ["end", "to", "end"]


def test_unknown_memory_is_a_question_mark() -> None:
    assert processes([measurement()]).splitlines()[1].split()[3:6] == ["?", "?", "?"]
    assert networks(results().models).endswith("init=11.50 overall=?")


def test_the_whole_command_stands_beside_the_loop_with_the_number_of_runs() -> None:
    _, row, *explanation = whole_commands(results().models).splitlines()
    assert row.split() == ["a.tflite", "4.000", "1.400", "1.500", "200", "210"]
    assert "5 runs each on 16-bit WAV files of 30 s and 330 s" in " ".join(explanation)
