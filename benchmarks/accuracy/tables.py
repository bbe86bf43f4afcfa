"""Accuracy of a model as text for a terminal."""

import textwrap
from collections.abc import Mapping, Sequence

from benchmarks.accuracy.evaluation import Paired, Report
from edge.table import format_table
from train.evaluation.metrics import Share


def report(r: Report) -> str:
    """Format every table of a model's report on music."""
    error = "none, all clips are silent" if r.calibration_error is None else f"{r.calibration_error:.3f}"
    parts = [
        shares("accuracy per track", r.accuracy),
        shares("recall", r.recall),
        confusion("confusion: a row for each true label, a column for each answer", r.confusion),
        shares("music without a genre", r.without_genre),
        f"expected calibration error: {error}",
        coverage("accuracy of the likeliest label, where its confidence is at least", r.coverage),
    ]
    return "\n\n".join(parts)


def shares(title: str, found: Mapping[str, Share]) -> str:
    """One row for each share."""
    return titled(title, [(name, interval(share), count(share)) for name, share in found.items()], "<<<")


def confusion(title: str, table: Mapping[str, Mapping[str, int]]) -> str:
    """Rows are true labels, columns are answers."""
    columns = list(next(iter(table.values())))
    rows = [("", *columns)]
    rows += [(truth, *(str(counts[column] or "·") for column in columns)) for truth, counts in table.items()]
    return titled(title, rows, f"<{'>' * len(columns)}")


def coverage(title: str, curve: Mapping[str, Share | None]) -> str:
    """One row for each confidence: accuracy, and the share of clips that are so confident."""
    total = max((share.n for share in curve.values() if share), default=0)
    rows = [
        (least, interval(share), count(share), f"({share.n / total:.0%} of the clips)")
        if share
        else (least, "none", "", "")
        for least, share in curve.items()
    ]
    return titled(title, rows, "<<<<")


def changes(title: str, columns: tuple[str, str], found: Mapping[str, Paired]) -> str:
    """One row for each share that was measured twice on the same clips, with the difference."""
    rows = [("", *columns, "difference", "")]
    for name, pair in found.items():
        difference = f"{pair.difference:+.3f} [{pair.low:+.3f}, {pair.high:+.3f}]"
        rows.append((name, interval(pair.before), interval(pair.after), difference, count(pair.before)))
    return titled(title, rows, "<<<<<")


def side_by_side(title: str, table: Mapping[str, Mapping[str, Share]]) -> str:
    """One row for each classifier, one column for all clips and for each source."""
    groups = next(iter(table.values()))
    rows = [("", *(f"{name}, {count(share)}" for name, share in groups.items()))]
    rows += [(name, *(interval(of_group[group]) for group in groups)) for name, of_group in table.items()]
    return titled(title, rows, "<" * (1 + len(groups)))


def titled(title: str, rows: Sequence[Sequence[str]], align: str) -> str:
    """Indented table under a title."""
    return f"{title}\n{textwrap.indent(format_table(rows, align), '  ')}"


def interval(share: Share) -> str:
    """Share with its 95 % interval."""
    return f"{share.value:.3f} [{share.low:.3f}, {share.high:.3f}]"


def count(share: Share) -> str:
    """Number of clips."""
    return f"n = {share.n}"
