"""The pictures of a run: training curves, the confusion matrix, and what a clip of each class looks like."""

from pathlib import Path

import librosa
import numpy as np
from matplotlib.figure import Figure

from edge.frontend import FrontEnd
from train.corpus.audio import load
from train.corpus.clips import Clip
from train.corpus.features import mel_power
from train.evaluation.metrics import Measured
from train.network.loop import History

SHOWN_DB = 80.0  # range of a spectrogram's colours


def draw_curves(history: History, path: Path) -> None:
    """Loss and accuracy of training and validation by epoch."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    epochs = [row["epoch"] + 1 for row in history]
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        # Where a teacher has a loss of its own, Keras puts the output's name in front.
        name = next(n for n in (f"probabilities_{quantity}", quantity) if n in history[0])
        axes.plot(epochs, [row[name] for row in history], label="train")
        if f"val_{name}" in history[0]:
            axes.plot(epochs, [row[f"val_{name}"] for row in history], label="validation")
        axes.set(xlabel="epoch", ylabel=quantity)
        axes.legend()
    figure.savefig(path, dpi=120)


def draw_confusion(measured: Measured, labels: tuple[str, ...], path: Path) -> None:
    """Truth down, answers across, counts in the cells, coloured by the share of their row."""
    counts = np.array(measured.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.5 + 0.5 * len(labels)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    axes.set(xlabel="answer", ylabel="truth")
    axes.set_title(f"per {measured.per}: {measured.accuracy:.1%} of {measured.n}")
    figure.savefig(path, dpi=120)


def draw_example(clip: Clip, front_end: FrontEnd, path: Path) -> None:
    """Waveform and mel spectrogram of a clip."""
    samples = load(clip.path, front_end.sample_rate)
    seconds = len(samples) / front_end.sample_rate
    figure = Figure(figsize=(10, 5), layout="constrained")
    wave, mel = figure.subplots(2, 1, sharex=True)
    wave.plot(np.arange(len(samples)) / front_end.sample_rate, samples, linewidth=0.3)
    wave.set(ylabel="amplitude", title=f"{clip.label}: {clip.track}", ylim=(-1, 1))
    decibels = librosa.power_to_db(mel_power(samples, front_end), ref=np.max, top_db=SHOWN_DB)
    image = mel.imshow(decibels, origin="lower", aspect="auto", extent=(0, seconds, 0, front_end.n_mels))
    bands = np.linspace(0, front_end.n_mels - 1, 6).astype(int)
    centres = librosa.mel_frequencies(front_end.n_mels + 2, fmin=front_end.f_min, fmax=front_end.f_max)[1:-1]
    mel.set_yticks(bands + 0.5, [f"{centres[band]:.0f}" for band in bands])
    mel.set(xlabel="seconds", ylabel="Hz (mel bands)")
    figure.colorbar(image, ax=[wave, mel], label="dB")
    figure.savefig(path, dpi=100)
