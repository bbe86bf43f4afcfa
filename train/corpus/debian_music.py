"""`python -m train.corpus.debian_music --out DIR`: free music of Debian game packages as clips for `--unlabelled`.

Nothing is installed: each package is downloaded, its music is cut into clips, and the package is forgotten. The clips
are what a corpus of GTZAN's kind has, 30 s, mono, 22 050 Hz, as FLAC. What is there already stays.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from edge.command import run
from edge.errors import EdgeError
from edge.frontend import FloatArray
from edge.label import AUDIO_SUFFIXES

# 26 hours of Debian 12, in the order of what they hold. 2 GB of downloads.
PACKAGES = (
    "drascula-music",
    "naev-data",
    "warzone2100-music",
    "wesnoth-1.16-music",
    "supertux-data",
    "ufoai-music",
    "hedgewars-data",
    "widelands-data",
    "supertuxkart-data",
    "colobot-common-sounds",
    "berusky2-data",
    "singularity-music",
    "megaglest-data",
    "nexuiz-music",
    "freedroidrpg-data",
    "marsshooter-data",
    "unknown-horizons",
    "planetblupi-music-ogg",
    "flare-game",
    "redeclipse-data",
    "starfighter-data",
    "warmux-data",
    "trackballs-data",
    "fretsonfire-songs-muldjord",
    "openclonk-data",
    "wizznic-data",
    "fretsonfire-songs-sectoid",
    "fillets-ng-data",
    "hyperrogue-music",
    "enigma-data",
    "ardentryst",
    "asc-music",
    "xmoto-data",
    "neverball-common",
    "lordsawar-data",
    "plee-the-bear-data",
    "amoebax-data",
    "extremetuxracer-data",
    "scorched3d-data",
)
ARCHIVES = {".pk3", ".zip"}
SAMPLE_RATE = 22_050
CLIP_SECONDS, SHORTEST_SECONDS = 30.0, 25.0  # what is shorter is a sound, not music
CLIPS_A_FILE = 5  # so that a few long files don't outweigh the rest
LEAST_RMS = 1e-3  # -60 dBFS
UNFINISHED = ".gather-"  # what a folder of a package that is being cut begins with


def main(argv: list[str] | None = None) -> int:
    """Download and cut, package by package."""
    parser = argparse.ArgumentParser(prog="python -m train.corpus.debian_music", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--packages", nargs="+", default=PACKAGES, metavar="NAME", help="other packages of Debian")
    words = parser.parse_args(argv)
    words.out.mkdir(parents=True, exist_ok=True)
    for left_over in words.out.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left_over)
    missing = []
    for package in tqdm(words.packages, unit="package", disable=None):
        if not (words.out / package).is_dir():
            try:
                gather(package, words.out / package)
            except EdgeError as error:
                missing.append(package)
                print(f"skipped {error}", file=sys.stderr)
    clips = len(list(words.out.rglob("*.flac")))
    print(f"{clips} clips, {clips * CLIP_SECONDS / 3600:.1f} h of music in {words.out}")
    if not clips:
        raise EdgeError(f"none of the {len(missing)} packages could be had: is this a Debian with sources of its own?")
    return 0


def gather(package: str, folder: Path) -> None:
    """Cut the music of a Debian package into `folder`, which appears when all of it is there. Raise EdgeError."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=UNFINISHED) as name:
        downloads, clips = Path(name) / "deb", Path(name) / "clips"
        downloads.mkdir()
        clips.mkdir()
        done = subprocess.run(
            ["apt-get", "download", "-qq", package], cwd=downloads, capture_output=True, text=True, check=False
        )
        debs = list(downloads.glob("*.deb"))
        if done.returncode or not debs:
            raise EdgeError(f"{package}: {(done.stderr.strip() or 'not downloaded').splitlines()[-1]}")
        for path, content in music_of(debs[0]):
            for start, samples in cut(content):
                # Flat, and unique: folders of a package may hold files of one name.
                target = clips / f"{'-'.join(PurePosixPath(path).with_suffix('').parts)}@{start:03.0f}.flac"
                soundfile.write(target, samples, SAMPLE_RATE)
        shutil.move(clips, folder)


def music_of(deb: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of each piece of music in a package, those in archives of games included."""
    process = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
    with process, tarfile.open(fileobj=process.stdout, mode="r|") as members:
        for member in members:
            suffix, file = PurePosixPath(member.name).suffix.lower(), None
            if member.isfile() and suffix in AUDIO_SUFFIXES | ARCHIVES:
                file = members.extractfile(member)
            if file is None:
                continue
            if suffix in AUDIO_SUFFIXES:
                yield member.name, file.read()
                continue
            try:
                with zipfile.ZipFile(io.BytesIO(file.read())) as archive:
                    for name in archive.namelist():
                        if PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES:
                            yield name, archive.read(name)
            except zipfile.BadZipFile:
                continue  # not an archive of music, whatever its name says


def cut(content: bytes) -> Iterator[tuple[float, FloatArray]]:
    """Up to CLIPS_A_FILE clips of an audio file, spread over it: the second at which each begins, and its samples."""
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            seconds = file.frames / file.samplerate
            if seconds < SHORTEST_SECONDS:
                return
            count = int(min(CLIPS_A_FILE, max(1, seconds // CLIP_SECONDS)))
            for place in range(count):
                start = max(0.0, seconds - CLIP_SECONDS) * (place + 0.5) / count
                file.seek(round(start * file.samplerate))
                samples = file.read(round(CLIP_SECONDS * file.samplerate), dtype="float32", always_2d=True)
                clip = soxr.resample(samples.mean(axis=1), file.samplerate, SAMPLE_RATE)
                if len(clip) and np.sqrt(np.mean(clip * clip)) >= LEAST_RMS:
                    yield start, clip
    except soundfile.LibsndfileError:
        return  # a game's own format, or damaged


if __name__ == "__main__":
    sys.exit(run(main))
