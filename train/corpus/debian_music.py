"""The command `python -m train.corpus.debian_music`: free music from Debian game packages as clips for `--unlabelled`.

Nothing is installed: each package is downloaded, its music is cut into clips, and the package is deleted. The clips
have the format of GTZAN: 30 s, mono, 22 050 Hz, as FLAC. Packages whose folder exists are skipped.
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

from edge.arrays import FloatArray
from edge.audio.files import AUDIO_SUFFIXES
from edge.cli.exit_status import run
from edge.cli.parser import make_parser
from edge.errors import EdgeError

# 22 hours of music in Debian 12, by descending duration; 2 GB of downloads.
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
CLIP_SECONDS, MIN_SECONDS = 30.0, 25.0  # shorter files are sound effects, not music
CLIPS_PER_FILE = 5  # at most, so that a few long files do not outweigh the rest
MIN_RMS = 1e-3  # -60 dBFS
UNFINISHED = ".gather-"  # prefix of the folder of a package that is not complete yet

EXAMPLES = (
    ("python -m train.corpus.debian_music --out music", ""),
    ("python -m train.fit --data GTZAN --recipe edge --split lists --unlabelled music --out runs/edge", ""),
)


def main(argv: list[str] | None = None) -> int:
    """Download and cut the packages; return the exit status."""
    options = _parser().parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    for unfinished in options.out.glob(f"{UNFINISHED}*"):
        shutil.rmtree(unfinished)
    missing = []
    for package in tqdm(options.packages, unit="package", disable=None):
        if not (options.out / package).is_dir():
            try:
                extract_clips(package, options.out / package)
            except EdgeError as error:
                missing.append(package)
                print(f"skipped {error}", file=sys.stderr)
    clips = len(list(options.out.rglob("*.flac")))
    print(f"{clips} clips, {clips * CLIP_SECONDS / 3600:.1f} h of music in {options.out}")
    if not clips:
        raise EdgeError(
            f"none of the {len(missing)} packages could be downloaded; is this Debian with package sources?"
        )
    return 0


def extract_clips(package: str, folder: Path) -> None:
    """Download a Debian package and cut its music into `folder`, which appears when complete. Raises EdgeError."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=UNFINISHED) as name:
        downloads, clips = Path(name) / "deb", Path(name) / "clips"
        downloads.mkdir()
        clips.mkdir()
        done = subprocess.run(
            ["apt-get", "download", "-qq", package], cwd=downloads, capture_output=True, text=True, check=False
        )
        debs = list(downloads.glob("*.deb"))
        if done.returncode or not debs:
            raise EdgeError(f"{package}: {(done.stderr.strip() or 'download failed').splitlines()[-1]}")
        for path, content in music_of(debs[0]):
            for start, samples in cut(content):
                # One flat folder with unique names: folders of a package may contain files of the same name.
                target = clips / f"{'-'.join(PurePosixPath(path).with_suffix('').parts)}@{start:03.0f}.flac"
                soundfile.write(target, samples, SAMPLE_RATE)
        shutil.move(clips, folder)


def music_of(deb: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of each music file in a package, including those inside archives of games."""
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
                continue  # not an archive, in spite of its name


def cut(content: bytes) -> Iterator[tuple[float, FloatArray]]:
    """Up to CLIPS_PER_FILE clips of an audio file, spread over its length: start in seconds and samples of each."""
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            seconds = file.frames / file.samplerate
            if seconds < MIN_SECONDS:
                return
            count = int(min(CLIPS_PER_FILE, max(1, seconds // CLIP_SECONDS)))
            for place in range(count):
                start = max(0.0, seconds - CLIP_SECONDS) * (place + 0.5) / count
                file.seek(round(start * file.samplerate))
                samples = file.read(round(CLIP_SECONDS * file.samplerate), dtype="float32", always_2d=True)
                clip = soxr.resample(samples.mean(axis=1), file.samplerate, SAMPLE_RATE)
                if len(clip) and np.sqrt(np.mean(clip * clip)) >= MIN_RMS:
                    yield start, clip
    except soundfile.LibsndfileError:
        return  # a format of the game's own, or damaged


def _parser() -> argparse.ArgumentParser:
    parser = make_parser(
        "python -m train.corpus.debian_music",
        "Download free music of Debian game packages (2 GB) and cut it into clips for train.fit --unlabelled.",
        EXAMPLES,
        "train/README.md",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the clips, one per package")
    parser.add_argument(
        "--packages", nargs="+", default=PACKAGES, metavar="NAME", help="Debian packages in place of the built-in list"
    )
    return parser


if __name__ == "__main__":
    sys.exit(run(main, extra="train"))
