"""Datasets without a corpus, for tests of training."""

from train.corpus.dataset import Dataset, Example


def dataset(labels: tuple[str, ...], sides: dict[str, list[Example]], not_music: tuple[str, ...] = ()) -> Dataset:
    """A dataset of these examples and nothing else: no lists, variants or folds."""
    return Dataset(
        labels=labels,
        not_music=not_music,
        sides=sides,
        held_back="valid",
        leaky=False,
        note="",
        skipped={},
        unlisted=0,
        sources={},
        artists={},
        vocoded={},
        variants=[],
        folds={},
    )
