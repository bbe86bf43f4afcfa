"""Damaged and hostile audio files and PCM streams. FUZZ_EXAMPLES=20000 searches longer than a test run does.

libsndfile and soxr are native code, so everything runs in a child process, whose end would be a failure.
"""

import functools
import io
import itertools
import math
import os
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.hostile import EXAMPLES, Child, damaged, fuzz
from helpers.support import Run, floats, one_sentence, synthesise
from hypothesis import event, given
from hypothesis import strategies as st

from edge.api import label
from edge.audio.files import FileSource
from edge.audio.open import open_audio
from edge.audio.source import BLOCK_SECONDS, MAX_BLOCK_VALUES, Gap
from edge.config import MAX_CHANNELS, RATES, Config
from edge.listener import Listener
from edge.model.load import SHIPPED_MODEL, load_model
from edge.model.model import Model

RATE = 16_000
HEADER = 200  # bytes of a file that say what the rest is
# The formats that edge-label looks for, with codecs of every kind, and all others that libsndfile recognises.
FORMATS = [
    *[("WAV", codec) for codec in ("PCM_16", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32")],
    *[("WAV", "NMS_ADPCM_32"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS")],
    *[("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("AIFF", "IMA_ADPCM")],
    *[
        ("CAF", "PCM_16"),
        ("CAF", "ALAC_16"),
        ("CAF", "ALAC_32"),
        ("AU", "PCM_16"),
        ("AU", "G723_40"),
        ("W64", "PCM_16"),
    ],
    *[("RF64", "PCM_16"), ("WAVEX", "PCM_24"), ("AVR", "PCM_16"), ("HTK", "PCM_16"), ("SVX", "PCM_16")],
    *[("MAT4", "DOUBLE"), ("MAT5", "FLOAT"), ("MPC2K", "PCM_16"), ("PAF", "PCM_24"), ("PVF", "PCM_16")],
    *[
        ("SDS", "PCM_16"),
        ("IRCAM", "PCM_16"),
        ("VOC", "PCM_16"),
        ("NIST", "PCM_16"),
        ("WVE", "ALAW"),
        ("XI", "DPCM_16"),
    ],
]


@functools.cache
def model() -> Model:
    return load_model(SHIPPED_MODEL)


@functools.cache
def audio_file(format: str, subtype: str) -> bytes:
    """Two seconds of music; not every format allows this rate, or two channels."""
    for rate, channels in ((RATE, 2), (RATE, 1), (8000, 1), (44_100, 1)):
        out = io.BytesIO()
        try:
            soundfile.write(out, synthesise(2.0, rate, channels), rate, format=format, subtype=subtype)
        except (soundfile.LibsndfileError, ValueError):
            continue
        return out.getvalue()
    raise AssertionError(f"this libsndfile can't write {format} {subtype}")


def label_file(path: Path) -> str:
    """Label a file in both ways; its blocks and answers contain finite numbers only."""
    with FileSource(path) as source:
        listener = Listener(model().another(), source.rate)
        for block in source.blocks():
            assert not isinstance(block, Gap)
            assert block.ndim == 2
            assert block.size <= MAX_BLOCK_VALUES
            assert len(block) <= source.rate * BLOCK_SECONDS
            assert np.isfinite(block).all()
            assert all(math.isfinite(answer.confidence) for answer in listener.process(block))
        assert all(math.isfinite(answer.confidence) for answer in listener.flush())
        assert all(math.isfinite(p) for _, p in listener.summary().top)
    return label(path, model()).state


def listen_to_pcm(parts: list[bytes], rate: int, channels: int, bits: int) -> str:
    reader, writer = os.pipe()

    def feed() -> None:
        for part in parts:
            os.write(writer, part)
        os.close(writer)

    with os.fdopen(reader, "rb", buffering=0) as stream:
        try:
            source = open_audio(stream, Config(rate=rate, channels=channels, bits=bits))
        except ValueError as error:
            os.close(writer)
            return f"error: {error}"
        listener = Listener(model().another(), source.rate)
        thread = threading.Thread(target=feed)
        thread.start()
        values = 0
        for block in source.blocks():
            assert not isinstance(block, Gap)
            assert block.size <= MAX_BLOCK_VALUES
            assert np.abs(block).max() <= 1
            values += block.size
            assert all(math.isfinite(answer.confidence) for answer in listener.process(block))
        thread.join()
    frame = channels * bits // 8
    assert values == sum(map(len, parts)) // frame * channels  # every whole frame, and nothing else
    listener.flush()
    return listener.summary().state


@pytest.fixture(scope="module")
def file_child() -> Iterator[Child]:
    child = Child(label_file)
    yield child
    child.close()


@pytest.fixture(scope="module")
def pcm_child() -> Iterator[Child]:
    child = Child(listen_to_pcm)
    yield child
    child.close()


def without_path(result: str, path: Path) -> str:
    return result.replace(str(path), "")[:50]


@pytest.mark.parametrize(("format", "subtype"), FORMATS)
def test_an_intact_file_is_labelled(tmp_path: Path, file_child: Child, format: str, subtype: str) -> None:
    """Otherwise the tests of damaged files would prove nothing."""
    path = tmp_path / "whole.audio"
    path.write_bytes(audio_file(format, subtype))
    assert file_child(path) in ("music", "other", "unknown")


@fuzz(max_examples=3 * EXAMPLES)
@given(data=st.data(), which=st.sampled_from(FORMATS))
def test_a_damaged_file_gets_an_answer_or_one_sentence(
    tmp_path: Path, file_child: Child, data: st.DataObject, which: tuple[str, str]
) -> None:
    path = tmp_path / "damaged.audio"
    path.write_bytes(data.draw(damaged(audio_file(*which), ends=HEADER)))
    event(without_path(file_child(path), path))


@fuzz()
@given(data=st.data(), first=st.sampled_from(FORMATS), second=st.sampled_from(FORMATS))
def test_the_header_of_one_format_before_another_gets_an_answer_or_one_sentence(
    tmp_path: Path, file_child: Child, data: st.DataObject, first: tuple[str, str], second: tuple[str, str]
) -> None:
    path = tmp_path / "mixed.audio"
    head = audio_file(*first)[: data.draw(st.integers(4, 2 * HEADER))]
    path.write_bytes(head + audio_file(*second)[data.draw(st.integers(0, 2 * HEADER)) :])
    event(without_path(file_child(path), path))


def wav(rate: int, channels: int, samples: bytes, bits: int = 16, kind: int = 1, claimed: int | None = None) -> bytes:
    """RIFF WAVE in which every number may be wrong."""
    claimed = len(samples) if claimed is None else claimed
    frame = channels * bits // 8
    layout = struct.pack("<2H2I2H", kind, channels, rate, rate * frame % 2**32, frame % 2**16, bits)
    chunks = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", claimed) + samples
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


@pytest.mark.parametrize("rate", [0, 1, 2, 999, 768_001, 10_000_000, 2**31 - 1, 2**31, 2**32 - 1])
def test_a_rate_out_of_range_is_refused(tmp_path: Path, file_child: Child, rate: int) -> None:
    """At 1 Hz, a megabyte would be a week of audio; at 2 GHz, half a second would be gigabytes."""
    (tmp_path / "rate.wav").write_bytes(wav(rate, 1, bytes(100_000)))
    assert "error: " in file_child(tmp_path / "rate.wav")


@pytest.mark.parametrize("rate", [1000, 8000, 11_025, 192_000, 768_000])
def test_any_rate_in_range_is_labelled(tmp_path: Path, file_child: Child, rate: int) -> None:
    noise = np.random.default_rng(0).integers(-9000, 9000, 4 * rate).astype("<i2").tobytes()
    (tmp_path / "rate.wav").write_bytes(wav(rate, 1, noise))
    assert file_child(tmp_path / "rate.wav") in ("music", "other", "unknown")


@pytest.mark.parametrize("channels", [0, 2, 1000, 1024, 1025, 65_535])
@pytest.mark.parametrize("rate", [8000, 768_000])
def test_any_number_of_channels_takes_little_memory(
    tmp_path: Path, file_child: Child, rate: int, channels: int
) -> None:
    """Half a second at 768 kHz, 1024 channels wide, would be 1.6 GB."""
    (tmp_path / "channels.wav").write_bytes(wav(rate, channels, bytes(4_000_000)))
    result = file_child(tmp_path / "channels.wav")
    assert result == "silence" or "error: " in result


@pytest.mark.parametrize("claimed", [0, 1, 2**31 - 1, 2**31, 2**32 - 1])
def test_a_file_whose_header_claims_another_length_ends(tmp_path: Path, file_child: Child, claimed: int) -> None:
    (tmp_path / "length.wav").write_bytes(wav(22_050, 1, bytes(200_000), claimed=claimed))
    result = file_child(tmp_path / "length.wav")
    assert result == "silence" or "error: " in result


@fuzz(max_examples=max(EXAMPLES // 2, 10))
@given(
    values=st.lists(floats(width=64) | st.sampled_from([math.nan, math.inf, -math.inf, 3e38, 1e300]), max_size=20),
    bits=st.sampled_from([32, 64]),
    rate=st.sampled_from([22_050, 44_100]),
)
def test_any_number_in_a_float_file_is_accepted(
    tmp_path: Path, file_child: Child, values: list[float], bits: int, rate: int
) -> None:
    """Neither NaN nor infinity may reach the state of a model, also not as the square of a large number."""
    with np.errstate(over="ignore"):
        samples = np.resize(np.array([0.1, -0.1, *values]), 3 * rate).astype(f"<f{bits // 8}")
    (tmp_path / "float.wav").write_bytes(wav(rate, 1, samples.tobytes(), bits, kind=3))
    assert file_child(tmp_path / "float.wav") in ("music", "other", "unknown", "silence")


@fuzz(max_examples=2 * EXAMPLES)
@given(
    content=st.binary(max_size=300),
    times=st.sampled_from([1, 1, 10, 1000]),
    cuts=st.lists(floats(0, 1), max_size=6),
    rate=st.sampled_from([1, 999, 1000, 8000, 22_050, 44_100, 48_000, 768_000, 768_001]) | st.integers(1, 10_000_000),
    channels=st.sampled_from([1, 2, 8, 1000, 1024, 1025, 10**9, 2**63]) | st.integers(1, 1100),
    bits=st.sampled_from([16, 32]),
)
def test_any_bytes_are_a_stream_unless_the_format_is_out_of_range(
    pcm_child: Child, content: bytes, times: int, cuts: list[float], rate: int, channels: int, bits: int
) -> None:
    content *= times
    ends = [0, *sorted(round(cut * len(content)) for cut in cuts), len(content)]
    parts = [content[start:end] for start, end in itertools.pairwise(ends)]
    result = pcm_child(parts, rate, channels, bits)
    assert result.startswith("error: ") != (RATES[0] <= rate <= RATES[1] and channels <= MAX_CHANNELS)
    event(result[:30])


BAD_FILES: dict[str, Callable[[], bytes]] = {
    "slow.wav": lambda: wav(1, 1, bytes(100_000)),
    "fast.wav": lambda: wav(2**31 - 1, 1, bytes(100_000)),
    "wide.wav": lambda: wav(48_000, 65_535, bytes(1_000_000)),
    "cut.flac": lambda: audio_file("FLAC", "PCM_16")[:60],
    "cut.ogg": lambda: audio_file("OGG", "VORBIS")[:500],
    "head.mp3": lambda: audio_file("MP3", "MPEG_LAYER_III")[:20],
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "cut.ogg" else pytest.mark.slow) for name in BAD_FILES]
)
def test_edge_listen_refuses_bad_audio_in_one_sentence(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BAD_FILES[name]())
    done = run("edge.cli.listen", tmp_path / name)
    assert done.returncode == 1
    assert name in one_sentence(done)
    assert done.stderr.count("\n") == 1, done.stderr


def test_edge_label_skips_bad_audio_with_a_sentence_each(run: Run, tmp_path: Path) -> None:
    for name, content in BAD_FILES.items():
        (tmp_path / name).write_bytes(content())
    done = run("edge.cli.label", tmp_path)
    assert done.returncode == 1
    *skipped, last = done.stderr.splitlines()
    for line, name in zip(skipped, sorted(BAD_FILES), strict=True):
        assert line.startswith(f"skipped: {tmp_path / name}: ")
    assert last == f"error: {len(BAD_FILES)} of {len(BAD_FILES)} files could not be labelled, see above"
