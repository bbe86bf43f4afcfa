"""What tests of training share: a corpus made ready, without a corpus."""

from train.corpus.dataset import Dataset, Example


def dataset(labels: tuple[str, ...], sides: dict[str, list[Example]], not_music: tuple[str, ...] = ()) -> Dataset:
    """A dataset of these parts and nothing else: no lists, no copies, no folds."""
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
