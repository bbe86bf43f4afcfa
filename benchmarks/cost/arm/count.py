"""What was counted of a model, and how a terminal shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.benchmark.measurement import END_TO_END, STAGES

COLUMNS = (*STAGES, END_TO_END)
HEAD = "M instructions per second of audio"


@dataclass(frozen=True)
class Count:
    """Instructions that one model takes."""

    model: str  # its file
    mode: str
    format: str
    runtime: str
    per_audio_s: dict[str, float]  # instructions per second of audio, of STAGES and END_TO_END
    per_watched_call: float  # of the counting itself, which is in them


def table(counts: Sequence[Count]) -> str:
    """A line a model; the column END_TO_END is the whole, with what lies between the stages."""
    wide = max(len(HEAD), *(len(c.model) for c in counts))
    names = "  ".join(f"{name.replace('_', ' '):>10}" for name in COLUMNS)
    lines = [f"{HEAD:{wide}}  {names}  model and runtime"]
    for c in counts:
        numbers = "  ".join(f"{c.per_audio_s[name] / 1e6:10.3f}" for name in COLUMNS)
        lines.append(f"{c.model:{wide}}  {numbers}  {c.format} {c.mode}, {c.runtime}")
    watching = max(c.per_watched_call for c in counts)
    lines.append(f"In it are {watching:.0f} instructions for each call of a stage, which are spent on counting.")
    return "\n".join(lines)


def verdict(counts: Sequence[Count], cpu: str) -> str:
    """One sentence: what a second of audio takes; from the least to the most where there are several models."""
    by_total = sorted(counts, key=lambda c: c.per_audio_s[END_TO_END])
    said = [f"{c.per_audio_s[END_TO_END] / 1e6:.2f} M instructions with {c.model}" for c in by_total]
    return f"One second of audio takes a {cpu} {said[0] if len(said) == 1 else f'from {said[0]} to {said[-1]}'}."
