"""`python -m train.demo_clip OUT.ogg`; apt fluidsynth fluid-soundfont-gm, pip music21 numpy soundfile soxr.

Makes the demo clip: eight bars played by strings and piano, a pause, then eight bars played by a saxophone with piano,
double bass and drums, 14 s each. Both scores are in music21's corpus, and both files say that they are free:

- Carl Maria von Weber (1786-1826), Concertino op. 26, arranged by Oliver Seely: "Released to Public Domain
  in 1998". Bars 38-45, the clarinet's theme given to the strings.
- Queen Liliuokalani (1838-1917), Aloha Oe, 1884: "Now, Public Domain; Encoding by MSAC, CC0". Bars 5-12, the
  verse; the drum beat is ours.

The sounds are those of the FluidR3 GM soundfont, which its author released under the MIT license.
"""

import argparse
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from music21 import corpus, instrument, note, stream, tempo

from edge.arrays import DoubleArray

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RENDER_RATE = 44_100
CLIP_RATE = 22_050
HALF_SECONDS = 14.0
HALF_QUARTERS = 32  # eight bars of four quarters, so that both halves end with a bar
FADE_SECONDS = 0.25
PAUSE_SECONDS = 2.0  # long enough to be heard as silence
LEVEL_DBFS = -18.0
SYNTH_GAIN = 0.4  # low enough that the synthesizer does not clip before the level is set
# One bar of General MIDI drums: key and the quarters on which it sounds.
BEAT = {36: (0, 2, 2.5), 38: (1, 3), 42: (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)}


@dataclass(frozen=True)
class Voice:
    """One staff of a score and the General MIDI program (from 0) and velocity that it is played with."""

    staff: int
    program: int
    velocity: int


@dataclass(frozen=True)
class Excerpt:
    """Eight bars of a work in music21's corpus and how they are played."""

    work: str
    bars: tuple[int, int]
    voices: tuple[Voice, ...]
    drums: bool = False


STRINGS, PIANO, CELLO = Voice(0, 48, 95), Voice(1, 0, 75), Voice(2, 42, 80)
SAXOPHONE, COMPING, DOUBLE_BASS = Voice(4, 66, 90), Voice(5, 0, 85), Voice(6, 32, 110)
CLASSICAL = Excerpt("weber/concertino_clarinet", (38, 45), (STRINGS, PIANO, CELLO))
JAZZ = Excerpt("liliuokalani/aloha_oe", (5, 12), (SAXOPHONE, COMPING, DOUBLE_BASS), drums=True)


def arrange(excerpt: Excerpt) -> stream.Score:
    """The excerpt for its instruments; raises ValueError if the file does not call itself public domain."""
    source = corpus.parse(excerpt.work)
    if "public domain" not in (source.metadata.copyright or "").lower():
        raise ValueError(f"{excerpt.work} does not call itself public domain; choose another score.")
    played = stream.Score()
    played.insert(0, tempo.MetronomeMark(number=HALF_QUARTERS * 60 / HALF_SECONDS))
    for voice in excerpt.voices:
        part = stream.Part([instrument.instrumentFromMidiProgram(voice.program)])
        bars = source.parts[voice.staff].toSoundingPitch().measures(*excerpt.bars)
        for sound in bars.stripTies().flatten().getElementsByClass(["Note", "Chord"]):
            sound.volume.velocity = voice.velocity
            part.insert(sound.offset, sound)
        played.insert(0, part)
    if excerpt.drums:
        played.insert(0, drum_part())
    return played


def drum_part() -> stream.Part:
    """BEAT, repeated for the whole half."""
    part = stream.Part([instrument.UnpitchedPercussion()])
    for bar in range(0, HALF_QUARTERS, 4):
        for key, quarters in BEAT.items():
            for quarter in quarters:
                part.insert(bar + quarter, note.Note(key, quarterLength=0.5))
    return part


def render(score: stream.Score) -> DoubleArray:
    """The score as mono samples at CLIP_RATE, HALF_SECONDS long, faded at both ends, at LEVEL_DBFS RMS."""
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder, "score.mid"), Path(folder, "score.wav")
        score.write("midi", midi)
        options = ["-n", "-i", "-q", "-g", str(SYNTH_GAIN), "-r", str(RENDER_RATE), "-F", str(wave)]
        subprocess.run(["fluidsynth", *options, str(SOUNDFONT), str(midi)], check=True, capture_output=True)
        stereo, _ = soundfile.read(wave)
    half = soxr.resample(stereo.mean(axis=1), RENDER_RATE, CLIP_RATE)[: round(HALF_SECONDS * CLIP_RATE)]
    ramp = np.linspace(0, 1, round(FADE_SECONDS * CLIP_RATE))
    half[: len(ramp)] *= ramp
    half[-len(ramp) :] *= ramp[::-1]
    levelled: DoubleArray = half * 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(half**2))
    return levelled


def main() -> None:
    """Write the clip to the path given on the command line."""
    parser = argparse.ArgumentParser(description="Make the demo clip.")
    parser.add_argument("out", type=Path, metavar="OUT.ogg")
    out = parser.parse_args().out
    if shutil.which("fluidsynth") is None:
        raise SystemExit("The program fluidsynth was not found; install it with: apt-get install fluidsynth")
    if not SOUNDFONT.exists():
        raise SystemExit(f"No soundfont at {SOUNDFONT}; install it with: apt-get install fluid-soundfont-gm")
    pause = np.zeros(round(PAUSE_SECONDS * CLIP_RATE))
    clip = np.concatenate([render(arrange(CLASSICAL)), pause, render(arrange(JAZZ))])
    soundfile.write(out, clip, CLIP_RATE, format="OGG", subtype="VORBIS")


if __name__ == "__main__":
    main()
