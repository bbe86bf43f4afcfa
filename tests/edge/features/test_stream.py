import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.features.mfcc import FrontEnd, mfcc
from edge.features.stream import MfccStream

SAMPLES = np.random.default_rng(0).normal(0, 0.1, 12_000).astype(np.float32)


@settings(deadline=None)
@given(st.lists(st.integers(0, len(SAMPLES)), max_size=12), st.sampled_from([(2048, 512), (512, 512), (400, 160)]))
def test_the_frames_do_not_depend_on_the_block_boundaries(cuts: list[int], sizes: tuple[int, int]) -> None:
    front_end = FrontEnd(n_fft=sizes[0], hop_length=sizes[1])
    stream = MfccStream(front_end)
    frames = np.concatenate([stream.accept(block) for block in np.split(SAMPLES, sorted(cuts))])
    whole = mfcc(SAMPLES, front_end)
    assert frames.shape == whole.shape
    assert np.abs(frames - whole).max() < 1e-3


def test_reset_forgets_the_incomplete_frame() -> None:
    stream = MfccStream(FrontEnd())
    stream.accept(SAMPLES[:1000])
    stream.reset()
    assert np.array_equal(stream.accept(SAMPLES), MfccStream(FrontEnd()).accept(SAMPLES))


@pytest.mark.parametrize("front_end", [FrontEnd(center=True), FrontEnd(top_db=80.0)])
def test_features_that_need_the_whole_clip_are_refused(front_end: FrontEnd) -> None:
    with pytest.raises(ValueError, match="center=False, top_db=None"):
        MfccStream(front_end)
