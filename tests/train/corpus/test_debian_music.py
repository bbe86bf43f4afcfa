import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.support import Run, synthesise

from edge.errors import EdgeError
from train.corpus import debian_music
from train.corpus.debian_music import CLIP_SECONDS, CLIPS_PER_FILE, SAMPLE_RATE, cut, music_of

pytestmark = pytest.mark.workstation

Pack = Callable[..., Path]
RATE = 8000  # so that an hour of it is quickly made


def tune(seconds: float, seed: int = 0) -> np.ndarray:
    return synthesise(seconds, RATE, 1, seed)[:, 0]


def audio(path: Path, samples: np.ndarray) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE)
    return path.read_bytes()


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Make a package of some files; those that end in .pk3 are given as a dictionary of what is in them."""

    def pack(name: str, files: dict[str, bytes | dict[str, bytes]]) -> Path:
        root = tmp_path / f"{name}-root"
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN" / "control").write_text(
            f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: me <me@example.org>\nDescription: music\n"
        )
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                (root / path).write_bytes(content)
                continue
            with zipfile.ZipFile(root / path, "w") as archive:
                for member, data in content.items():
                    archive.writestr(member, data)
        (tmp_path / "debs").mkdir(exist_ok=True)
        deb = tmp_path / "debs" / f"{name}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", root, deb], check=True, capture_output=True)
        return deb

    return pack


@pytest.fixture
def game(pack: Pack, tmp_path: Path) -> Path:
    """A package as games have them."""
    long, short = audio(tmp_path / "long.wav", tune(65)), audio(tmp_path / "short.wav", tune(3))
    archived = audio(tmp_path / "archived.ogg", tune(31, 1))
    return pack(
        "game",
        {
            "usr/share/game/music/theme.wav": long,
            "usr/share/game/sounds/jump.wav": short,
            "usr/share/game/data.pk3": {"music/boss.ogg": archived, "music/readme.txt": b"by me"},
            "usr/share/doc/game/copyright": b"free",
        },
    )


@pytest.fixture
def apt_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `apt-get download` that has the packages of this test, and a list of those it was asked for."""
    tool, asked = tmp_path / "bin" / "apt-get", tmp_path / "asked"
    tool.parent.mkdir()
    tool.write_text(
        "#!/bin/sh\n"
        'for name; do :; done\necho "$name" >> "' + str(asked) + '"\n'
        f'cp "{tmp_path}/debs/$name.deb" . 2>/dev/null && exit 0\n'
        'echo "E: Unable to locate package $name" >&2\nexit 100\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    return asked


def test_the_music_of_a_package_is_found_in_its_archives_too(game: Path) -> None:
    found = {Path(path).name: content for path, content in music_of(game)}
    assert found.keys() == {"theme.wav", "jump.wav", "boss.ogg"}
    assert found["boss.ogg"].startswith(b"OggS")


def test_a_damaged_archive_is_skipped(pack: Pack, tmp_path: Path) -> None:
    deb = pack("damaged", {"a/data.zip": b"PK\x03\x04 and no more", "b/theme.wav": audio(tmp_path / "t.wav", tune(3))})
    assert [Path(path).name for path, _ in music_of(deb)] == ["theme.wav"]


@pytest.mark.parametrize(
    ("seconds", "starts"), [(26, [0]), (31, [0.5]), (65, [8.75, 26.25]), (400, [37, 111, 185, 259, 333])]
)
def test_clips_are_spread_over_a_file(seconds: float, starts: list[float], tmp_path: Path) -> None:
    found = list(cut(audio(tmp_path / "tune.wav", tune(seconds))))
    assert [start for start, _ in found] == pytest.approx(starts, abs=0.01)
    assert len(found) <= CLIPS_PER_FILE
    for _, samples in found:
        assert len(samples) == round(min(seconds, CLIP_SECONDS) * SAMPLE_RATE)


def test_a_clip_contains_the_audio_at_its_start_time(tmp_path: Path) -> None:
    steps = np.repeat(np.arange(1, 66) / 100, RATE)  # each second louder than the one before
    tone = np.sin(2 * np.pi * 440 * np.arange(len(steps)) / RATE)
    for start, samples in cut(audio(tmp_path / "tune.wav", steps * tone)):
        begin, end = (np.abs(part).max() for part in (samples[:1000], samples[-1000:]))
        assert begin == pytest.approx((int(start) + 1) / 100, abs=0.005)
        assert end == pytest.approx((int(start + 30) + 1) / 100, abs=0.005)


@pytest.mark.parametrize(
    "samples",
    [tune(24.5), np.zeros(40 * RATE), 1e-4 * tune(40)],
    ids=["a sound", "silence", "all but silence"],
)
def test_sounds_and_silence_give_no_clips(samples: np.ndarray, tmp_path: Path) -> None:
    assert not list(cut(audio(tmp_path / "x.flac", samples)))


def test_a_file_that_is_not_audio_gives_no_clips() -> None:
    assert not list(cut(b"this is no audio"))


@pytest.mark.usefixtures("apt_get")
def test_a_package_becomes_a_folder_of_clips(game: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert debian_music.main(["--out", str(out), "--packages", "game"]) == 0
    assert [path.name for path in out.iterdir()] == ["game"]
    names = sorted(path.name for path in (out / "game").iterdir())
    assert len(names) == 3
    for name, end in zip(names, ("boss@000.flac", "theme@009.flac", "theme@026.flac"), strict=True):
        assert name.endswith(end)
    for path in out.rglob("*.flac"):
        info = soundfile.info(path)
        assert (info.format, info.frames, info.samplerate, info.channels) == ("FLAC", 30 * 22_050, 22_050, 1)


@pytest.mark.usefixtures("apt_get")
def test_files_of_the_same_name_are_all_kept(pack: Pack, tmp_path: Path) -> None:
    one, two = (audio(tmp_path / f"{i}.wav", tune(31, i)) for i in (1, 2))
    files = {"usr/one/music/theme.wav": one, "usr/two/music/theme.wav": two}
    pack("alike", files)
    assert debian_music.main(["--out", str(tmp_path / "out"), "--packages", "alike"]) == 0
    assert len(list((tmp_path / "out").rglob("*.flac"))) == 2


@pytest.mark.usefixtures("game")
def test_a_package_that_is_not_available_is_named_and_skipped(
    apt_get: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert debian_music.main(["--out", str(out), "--packages", "nowhere", "game"]) == 0
    assert "skipped nowhere: E: Unable to locate package nowhere" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["game"]
    assert apt_get.read_text().split() == ["nowhere", "game"]


@pytest.mark.usefixtures("game")
def test_an_existing_package_folder_is_kept(apt_get: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    existing = tmp_path / "out" / "game" / "mine.flac"
    existing.parent.mkdir(parents=True)
    existing.touch()
    assert debian_music.main(["--out", str(tmp_path / "out"), "--packages", "game"]) == 0
    assert not apt_get.exists()
    assert list((tmp_path / "out").rglob("*.flac")) == [existing]
    assert "1 clips, 0.0 h" in capsys.readouterr().out


@pytest.mark.usefixtures("game", "apt_get")
def test_leftovers_of_a_killed_run_are_deleted(tmp_path: Path) -> None:
    left = tmp_path / "out" / ".gather-killed" / "clips"
    left.mkdir(parents=True)
    (left / "half.flac").touch()
    debian_music.main(["--out", str(tmp_path / "out"), "--packages", "game"])
    assert not left.exists()


@pytest.mark.usefixtures("game", "apt_get")
def test_a_failed_package_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(debian_music.soundfile, "write", full)
    with pytest.raises(OSError, match="No space left"):
        debian_music.main(["--out", str(tmp_path / "out"), "--packages", "game"])
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.usefixtures("apt_get")
def test_a_run_without_any_package_ends_with_one_sentence(run: Run, tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="none of the 2 packages could be downloaded"):
        debian_music.main(["--out", str(tmp_path / "out"), "--packages", "nowhere", "never"])
    done = run("train.corpus.debian_music", "--out", tmp_path / "out", "--packages", "nowhere")
    assert done.returncode == 1
    assert "skipped nowhere" in done.stderr
    assert "error: none of the 1 packages" in done.stderr
    assert "Traceback" not in done.stderr
