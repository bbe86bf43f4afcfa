"""Instructions of one model, and their table for a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.benchmark.measurement import END_TO_END, STAGES
from edge.table import format_table

COLUMNS = (*STAGES, END_TO_END)
HEADING = "M instructions per second of audio"


@dataclass(frozen=True)
class Count:
    """Instructions that listening with one model takes."""

    model: str  # its file
    mode: str
    format: str
    runtime: str
    per_audio_s: dict[str, float]  # instructions per second of audio, of STAGES and END_TO_END
    per_watched_call: float  # of the counting itself, which are included


def table(counts: Sequence[Count]) -> str:
    """Make a table with one row per model; END_TO_END is the whole, including what lies between the stages."""
    rows = [(HEADING, *(name.replace("_", " ") for name in COLUMNS), "model and runtime")]
    for c in counts:
        numbers = (f"{c.per_audio_s[name] / 1e6:.3f}" for name in COLUMNS)
        rows.append((c.model, *numbers, f"{c.format} {c.mode}, {c.runtime}"))
    overhead = max(c.per_watched_call for c in counts)
    align = f"<{'>' * len(COLUMNS)}<"
    return (
        f"{format_table(rows, align)}\n"
        f"This includes {overhead:.0f} instructions per call of a stage, which are spent on counting."
    )


def verdict(counts: Sequence[Count], cpu: str) -> str:
    """One sentence: the cost of a second of audio; from the least to the most if there are several models."""
    by_total = sorted(counts, key=lambda c: c.per_audio_s[END_TO_END])
    costs = [f"{c.per_audio_s[END_TO_END] / 1e6:.2f} M instructions with {c.model}" for c in by_total]
    return f"One second of audio takes a {cpu} {costs[0] if len(costs) == 1 else f'from {costs[0]} to {costs[-1]}'}."
