"""How right a model is, as text for a terminal."""

from collections.abc import Mapping, Sequence

from benchmarks.accuracy.evaluation import Paired, Report, Share

NAMES_WIDE = 20
INTERVAL_WIDE = 20


def report(r: Report) -> str:
    """All of a model's report on music."""
    error = "none, all was silence" if r.calibration_error is None else f"{r.calibration_error:.3f}"
    parts = [
        shares("accuracy per track", r.accuracy),
        shares("recall", r.recall),
        f"confusion: a line a truth, a column an answer\n{confusion(r.confusion)}",
        shares("music that got no genre", r.without_genre),
        f"expected calibration error: {error}",
        f"accuracy of the likeliest label, where its confidence is at least\n{coverage(r.coverage)}",
    ]
    return "\n\n".join(parts)


def shares(title: str, found: Mapping[str, Share]) -> str:
    """A line a share under a title."""
    return "\n".join([title, *(row(name, [with_count(share)]) for name, share in found.items())])


def confusion(table: Mapping[str, Mapping[str, int]]) -> str:
    """Rows are truths, columns what was said."""
    columns = list(next(iter(table.values())))
    lines = [f"  {'':{NAMES_WIDE}} {'  '.join(columns)}"]
    for truth, counts in table.items():
        cells = "  ".join(f"{counts[column] or '·':>{len(column)}}" for column in columns)
        lines.append(f"  {truth:{NAMES_WIDE}} {cells}")
    return "\n".join(lines)


def coverage(curve: Mapping[str, Share | None]) -> str:
    """A line a confidence: accuracy, and the share of clips that are so sure."""
    total = max((share.n for share in curve.values() if share), default=0)
    return "\n".join(
        f"  {least:{NAMES_WIDE}} " + (f"{with_count(share)}  ({share.n / total:.0%} of the clips)" if share else "none")
        for least, share in curve.items()
    )


def changes(title: str, columns: tuple[str, str], found: Mapping[str, Paired]) -> str:
    """A line a share that was measured twice on the same clips, with the difference."""
    lines = [title, row("", [*columns, "difference"])]
    for name, pair in found.items():
        difference = f"{pair.difference:+.3f} [{pair.low:+.3f}, {pair.high:+.3f}]  n = {pair.before.n}"
        lines.append(row(name, [interval(pair.before), interval(pair.after), difference]))
    return "\n".join(lines)


def side_by_side(title: str, table: Mapping[str, Mapping[str, Share]]) -> str:
    """A line for each who was asked, a column for all clips and one for each source."""
    counts = next(iter(table.values()))
    lines = [title, row("", [f"{name}, n = {share.n}" for name, share in counts.items()])]
    lines += [row(who, [interval(shares[name]) for name in counts]) for who, shares in table.items()]
    return "\n".join(lines)


def row(name: str, cells: Sequence[str]) -> str:
    """A line of a table whose cells are as wide as an interval."""
    return f"  {name:{NAMES_WIDE}} {'  '.join(f'{cell:{INTERVAL_WIDE}}' for cell in cells)}".rstrip()


def with_count(share: Share) -> str:
    """A share, its 95 % interval, and of how many."""
    return f"{interval(share)}  n = {share.n}"


def interval(share: Share) -> str:
    """A share and its 95 % interval."""
    return f"{share.value:.3f} [{share.low:.3f}, {share.high:.3f}]"
