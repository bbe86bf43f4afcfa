import os
from pathlib import Path

import pytest

from edge.audio.files import FileSource
from edge.audio.open import DEMO_CLIP, open_audio
from edge.audio.pcm import PcmSource
from edge.audio.source import AudioSource
from edge.config import Config
from edge.errors import EdgeError


@pytest.mark.parametrize("as_type", [str, Path])
def test_a_path_is_a_file(as_type: type) -> None:
    with open_audio(as_type(DEMO_CLIP)) as source:
        assert isinstance(source, FileSource)
        assert source.stats.device == str(DEMO_CLIP)


def test_a_stream_is_raw_pcm_of_the_configured_format() -> None:
    reader, writer = os.pipe()
    os.write(writer, bytes(4 * 2 * 100))
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as stream:
        source = open_audio(stream, Config(rate=16_000, channels=2, bits=32))
        assert isinstance(source, PcmSource)
        assert source.rate == 16_000
        assert [block.shape for block in source.blocks()] == [(100, 2)]


def test_a_path_that_cannot_be_opened_is_named() -> None:
    with pytest.raises(EdgeError, match=r"^nothing\.wav: no such file$"):
        open_audio("nothing.wav")


def test_an_audio_source_has_blocks_and_close() -> None:
    with pytest.raises(TypeError, match="abstract"):
        AudioSource(48_000, None)  # type: ignore[abstract, arg-type]
