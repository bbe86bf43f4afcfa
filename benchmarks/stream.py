"""The command `python -m benchmarks.stream --data DIR`: how right the label on show is while music changes.

Clips of the list's side that no training saw are joined with hard changes, in a seeded order, until the hours are full,
and heard in one go: no reset, no silence between them.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edge import HOP_SECONDS
from edge.command import run as run_command
from edge.ear import Ear
from edge.errors import EdgeError, UsageError
from edge.frontend import FloatArray
from edge.model import SHIPPED, load
from train import lists
from train.audio import load as load_audio
from train.corpus import Clip, find_clips
from train.metrics import cluster_bootstrap

SEED = 0


@dataclass(frozen=True)
class Heard:
    """What was shown during one clip, hop by hop."""

    truth: str
    shown: tuple[str | None, ...]

    @property
    def right(self) -> list[bool]:
        """Whether each hop showed the truth."""
        return [label == self.truth for label in self.shown]

    @property
    def seconds_to_right(self) -> float:
        """Time from the change to the first right label; infinite if it never came."""
        return (self.right.index(True) + 1) * HOP_SECONDS if any(self.right) else float("inf")

    @property
    def flips(self) -> int:
        """Changes from label to label, but for the one that the new clip calls for."""
        labels = [label for label in self.shown if label]
        return max(0, sum(a != b for a, b in itertools.pairwise(labels)) - 1)


@dataclass(frozen=True)
class Report:
    """The measurement; shares are of hops, intervals 95 % by drawing whole clips."""

    model: str
    hours: float
    clips: int
    right: float
    right_low: float
    right_high: float
    right_first_quarter: float
    right_last_quarter: float
    median_seconds_to_right: float | None  # None where more than half of the clips never got there
    clips_never_right: float
    flips_per_minute: float


def main() -> int:
    """Listen, measure, print."""
    p = argparse.ArgumentParser(prog="benchmarks.stream", description="Measure how right the label on show is.")
    p.add_argument("--data", type=Path, required=True, metavar="DIR", help="a corpus with lists, as train.fit takes it")
    p.add_argument("--side", choices=lists.SIDES, default="valid", help="whose clips to play (valid)")
    p.add_argument("--hours", type=float, default=1.0, metavar="N", help="how much of it (1)")
    p.add_argument("--model", type=Path, default=SHIPPED, metavar="FILE")
    p.add_argument("--json", type=Path, metavar="FILE", help="where to write the numbers")
    args = p.parse_args()
    if not 0 < args.hours <= 24 * 366:
        raise UsageError(f"--hours {args.hours:g}: has to be above 0, and a year at most")
    report = measure(args.model, clips_of(args.data, args.side), args.hours)
    print(sentence(report))
    if args.json:
        args.json.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    return 0


def clips_of(data: Path, side: str) -> list[Clip]:
    """The clips of one side of a corpus' lists. Raise EdgeError where there are none."""
    clips = find_clips(data)
    sides = lists.match(clips, data).sides
    if chosen := [clip for clip in clips if sides.get(clip.name) == side]:
        return chosen
    raise EdgeError(f"{data}: no clip is listed as {side}")


def measure(model_file: Path, clips: list[Clip], hours: float) -> Report:
    """Hear the clips in one go for `hours`."""
    model = load(model_file)
    rate = model.card.front_end.sample_rate
    ear = Ear(model, rate)
    heard: list[Heard] = []
    indices: list[int] = []
    for index in endlessly(len(clips)):
        samples = whole_hops(load_audio(clips[index].path, rate), rate)
        heard.append(Heard(clips[index].label, tuple(a.label for a in ear.hear(samples[:, None]))))
        indices += [index] * len(heard[-1].shown)
        if len(indices) * HOP_SECONDS >= hours * 3600:
            break
    right = np.concatenate([h.right for h in heard])
    low, high = cluster_bootstrap(right, np.array(indices), SEED)
    waits = np.array([h.seconds_to_right for h in heard])
    quarter = max(1, len(right) // 4)
    return Report(
        model=str(model_file),
        hours=len(right) * HOP_SECONDS / 3600,
        clips=len(heard),
        right=float(right.mean()),
        right_low=low,
        right_high=high,
        right_first_quarter=float(right[:quarter].mean()),
        right_last_quarter=float(right[-quarter:].mean()),
        median_seconds_to_right=float(np.median(waits)) if np.isfinite(np.median(waits)) else None,
        clips_never_right=float(np.isinf(waits).mean()),
        flips_per_minute=sum(h.flips for h in heard) / (len(right) * HOP_SECONDS / 60),
    )


def endlessly(count: int) -> Iterator[int]:
    """Seeded shuffles of 0..count-1, one after the other."""
    rng = np.random.default_rng(SEED)
    while True:
        yield from rng.permutation(count).tolist()


def whole_hops(samples: FloatArray, rate: int) -> FloatArray:
    """The samples without the rest of a hop, so that each hop belongs to one clip."""
    hop = round(HOP_SECONDS * rate)
    return samples[: len(samples) // hop * hop]


def sentence(r: Report) -> str:
    """The report for a terminal."""
    wait = f"{r.median_seconds_to_right:.1f} s" if r.median_seconds_to_right is not None else "never"
    return (
        f"{r.hours:.2f} h of {r.clips} clips with hard changes: the label on show is right {r.right:.1%} of the time "
        f"[{r.right_low:.1%}, {r.right_high:.1%}] (first quarter {r.right_first_quarter:.1%}, last "
        f"{r.right_last_quarter:.1%});\nmedian time from a change to the right label {wait}, "
        f"{r.clips_never_right:.0%} of the clips never get it; {r.flips_per_minute:.1f} flips a minute within clips."
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
