import numpy as np
import pytest

from edge.model.novelty import COEFFICIENTS, MIN_VARIANCE, NoveltyDetector, novelty

RNG = np.random.default_rng(0)


def blocks(count: int, mean: float = 0.0) -> list[np.ndarray]:
    return list(RNG.normal(mean, 1, (count, 4, 30)).astype(np.float32))


def novelty_of(recent: np.ndarray, before: np.ndarray) -> float:
    moments = [np.concatenate([side.mean(axis=0), (side**2).mean(axis=0)]) for side in (recent, before)]
    return novelty(np.stack(moments), len(recent), len(before))


def test_novelty_is_one_for_two_samples_of_one_distribution_and_more_for_others() -> None:
    alike = [novelty_of(*np.split(RNG.normal(0, 1, (30, COEFFICIENTS)), [10])) for _ in range(300)]
    assert np.mean(alike) == pytest.approx(1, abs=0.15)
    assert novelty_of(RNG.normal(3, 1, (10, 5)), RNG.normal(0, 1, (20, 5))) > 20


@pytest.mark.workstation
def test_novelty_is_the_mean_squared_t_statistic_of_scipy() -> None:
    """The pooled variance is divided by n + m instead of n + m - 2, and has a floor."""
    import scipy.stats

    recent, before = RNG.normal(0.4, 2, (7, 3)), RNG.normal(0, 2, (25, 3))
    t = scipy.stats.ttest_ind(recent, before).statistic
    pooled = (7 * recent.var(axis=0) + 25 * before.var(axis=0)) / 30
    expected = (t**2 * pooled / (pooled * 30 / 32 + MIN_VARIANCE)).mean()
    assert novelty_of(recent, before) == pytest.approx(expected)


def test_the_order_of_the_blocks_on_each_side_does_not_matter() -> None:
    recent, before = RNG.normal(0, 1, (6, 5)), RNG.normal(0, 1, (9, 5))
    assert novelty_of(recent[::-1], before[::-1]) == pytest.approx(novelty_of(recent, before))


def test_a_change_returns_the_blocks_since_it() -> None:
    detector = NoveltyDetector(5, 20, 11.0)
    assert not any(detector.update(block) for block in blocks(40))
    new = blocks(12, mean=3)
    found = [detector.update(block) for block in new]
    (at,) = (i for i, since in enumerate(found) if since)
    assert at <= 5
    assert len(found[at]) == 5
    np.testing.assert_array_equal(found[at][-1], new[at])


def test_every_change_is_found_once() -> None:
    detector = NoveltyDetector(5, 20, 11.0)
    found = [sum(bool(detector.update(block)) for block in blocks(30, mean)) for mean in (0, 5, 0, 5)]
    assert found == [0, 1, 1, 1]


def test_after_a_held_note_a_small_difference_is_no_change() -> None:
    """Blocks without any variance, then slightly different ones."""
    detector = NoveltyDetector(5, 20, 11.0)
    still = [np.zeros((4, 30), np.float32)] * 30
    assert not any(detector.update(block) for block in [*still, *(block + 0.05 for block in still)])


def test_reset_forgets_the_blocks_before() -> None:
    detector = NoveltyDetector(5, 20, 11.0)
    for block in blocks(30):
        detector.update(block)
    detector.reset()
    assert not any(detector.update(block) for block in blocks(30, mean=5))
