"""Plots of a run: training curves, the confusion matrix, and an example clip of each class."""

from pathlib import Path

import librosa
import numpy as np
from matplotlib.figure import Figure

from edge.features.mfcc import FrontEnd
from train.corpus.audio import load_audio
from train.corpus.clips import Clip
from train.corpus.features import mel_power
from train.evaluation.metrics import Measurement
from train.network.loop import History

SHOWN_DB = 80.0  # range of the colours of a spectrogram


def plot_curves(history: History, path: Path) -> None:
    """Plot loss and accuracy of training and validation by epoch."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    epochs = [row["epoch"] + 1 for row in history]
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        # With several outputs, as with a teacher, Keras prefixes the quantity with the name of the output.
        name = next(n for n in (f"probabilities_{quantity}", quantity) if n in history[0])
        axes.plot(epochs, [row[name] for row in history], label="train")
        if f"val_{name}" in history[0]:
            axes.plot(epochs, [row[f"val_{name}"] for row in history], label="validation")
        axes.set(xlabel="epoch", ylabel=quantity)
        axes.legend()
    figure.savefig(path, dpi=120)


def plot_confusion(measurement: Measurement, labels: tuple[str, ...], path: Path) -> None:
    """Plot a confusion matrix: true classes down, predicted ones across, cells coloured by their share of the row."""
    counts = np.array(measurement.confusion)
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
    axes.set(xlabel="predicted", ylabel="truth")
    axes.set_title(f"per {measurement.per}: {measurement.accuracy:.1%} of {measurement.n}")
    figure.savefig(path, dpi=120)


def plot_example(clip: Clip, front_end: FrontEnd, path: Path) -> None:
    """Plot the waveform and the mel spectrogram of a clip."""
    samples = load_audio(clip.path, front_end.sample_rate)
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
