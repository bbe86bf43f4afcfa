"""The comparison with competitors, as far as none of them needs to be installed."""

from dataclasses import replace

import pytest
from helpers.measurements import measurement

from benchmarks.cost.comparison import competitor_table
from benchmarks.cost.competitors import COMPETITORS, competitor
from edge.benchmark.measurement import Cost
from edge.errors import UsageError


def test_the_table_gives_multiples_of_our_cost_and_only_the_front_end_of_those_that_replace_nothing_else() -> None:
    twice = {stage: Cost(1.0, 1.5, 2.0, 3.0, 8.0) for stage in measurement().costs}
    theirs = [replace(measurement(each.name), costs=twice) for each in COMPETITORS]
    heading, ours, *rows = competitor_table(measurement(), theirs).splitlines()
    assert heading.split() == ["CPU", "ms", "per", "s", "of", "audio", "end", "to", "end", "front", "end", "model"]
    assert ours.split() == ["a.tflite", *["4.000", "(1.0x)"] * 3]
    for each, row in zip(COMPETITORS, rows, strict=True):
        assert row.startswith(each.name)
        assert row.count("8.000") == row.count("(2.0x)") == (1 if each.front_end_only else 3)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="kaldi-native-fbank"):
        competitor("nobody")
