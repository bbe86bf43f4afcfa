"""The command `python -m convert.export RUN --out DIR`: a run folder in, verified model files out.

Each file is opened in a fresh process by every runtime that a device may have, and compared with Keras on the
held-back features of the run. A file outside its bounds is not written.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from convert import reference
from convert.run_folder import Features, load_card, load_features, load_network
from convert.to_tflite import FORMATS as TFLITE_FORMATS
from edge.card import Card
from edge.command import run as run_command
from edge.errors import EdgeError
from edge.frontend import FloatArray
from edge.runtime import installed_tflite_runtimes
from train.run.folder import HELD_BACK

FILES = {kind: f"model-{kind}.tflite" for kind in TFLITE_FORMATS} | {"onnx": "model.onnx"}
GREATEST_DIFFERENCE = {"float32": 1e-5, "onnx": 1e-5, "dynamic": 0.01}
LEAST_AGREEMENT = {"int8": 0.97}
REPORT = "report.json"


@dataclass(frozen=True)
class Check:
    """One file in one runtime against Keras, over all calls on the held-back features."""

    file: str
    format: str
    runtime: str
    bytes: int
    greatest_difference: float  # of a probability
    label_agreement: float
    accuracy: float  # of the answer after the last call of a clip
    microseconds: float  # p50 of a call, Python included, on this machine

    @property
    def problem(self) -> str | None:
        """Why the file is outside its bounds; None if it isn't."""
        most, least = GREATEST_DIFFERENCE.get(self.format), LEAST_AGREEMENT.get(self.format)
        if most is not None and not self.greatest_difference <= most:
            return f"a probability differs by {self.greatest_difference:.2g}, {most:g} is allowed"
        if least is not None and not self.label_agreement >= least:
            return f"labels agree in {self.label_agreement:.1%}, {least:.0%} are needed"
        return None


def main() -> int:
    """Convert, check, write what passes, print the table; status 1 if a file had to be left out."""
    p = argparse.ArgumentParser(prog="convert.export", description="Write a run's network as .tflite and .onnx files.")
    p.add_argument("run", type=Path, metavar="RUN", help="run folder of train.fit")
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the model files and report.json")
    args = p.parse_args()
    card = load_card(args.run)
    args.out.mkdir(parents=True, exist_ok=True)
    held_back = load_features(args.run, HELD_BACK)
    expected = reference.probabilities(load_network(args.run), held_back.inputs, card.frames)
    checks: list[Check] = []
    problems: list[str] = []
    with tempfile.TemporaryDirectory(dir=args.out, prefix=".unchecked-") as folder:
        for kind, name in FILES.items():
            candidate = Path(folder) / name
            try:
                convert_apart(args.run, kind, candidate)
                of_file = [
                    check(candidate, kind, args.run / HELD_BACK, held_back, expected, package)
                    for package in runtimes_of(kind)
                ]
            except EdgeError as error:
                problems.append(f"{name} is not written: {error}")
                continue
            checks += of_file
            bad = [f"{name} is not written: in {c.runtime} {c.problem}" for c in of_file if c.problem]
            problems += bad
            if bad:
                (args.out / name).unlink(missing_ok=True)  # of an earlier export, which this one replaces
            else:
                candidate.replace(args.out / name)
    report = {
        "run": args.run.name,
        "clips": len(held_back.inputs),
        "calls": int(expected.shape[0] * expected.shape[1]),
        "keras_accuracy": accuracy(expected, held_back),
        "files": [asdict(c) for c in checks],
        "problems": problems,
    }
    (args.out / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(card, report, checks))
    if problems:
        raise EdgeError("; ".join(problems))
    return 0


def convert_apart(run: Path, kind: str, out: Path) -> None:
    """Convert in a process of its own. Raise EdgeError, with the last line it said, if that fails or crashes."""
    module = ["convert.to_onnx", str(run)] if kind == "onnx" else ["convert.to_tflite", str(run), kind]
    python([*module, str(out)], f"conversion to {kind}")


def check(
    candidate: Path, kind: str, features: Path, held_back: Features, expected: FloatArray, package: str | None
) -> Check:
    """Run a file in a fresh process and compare it with `expected`, (clips, calls, labels) probabilities of Keras."""
    answers = candidate.with_suffix(".npz")
    words = ["convert.device_check", str(candidate), str(features), str(answers)]
    python([*words, "--package", package] if package else words, f"{candidate.name} on a device")
    with np.load(answers) as arrays:
        got = arrays["probabilities"]
        return Check(
            file=candidate.name,
            format=kind,
            runtime=str(arrays["runtime"]),
            bytes=candidate.stat().st_size,
            greatest_difference=float(np.abs(got - expected).max()),
            label_agreement=float((got.argmax(-1) == expected.argmax(-1)).mean()),
            accuracy=accuracy(got, held_back),
            microseconds=float(arrays["microseconds"]),
        )


def accuracy(probabilities: FloatArray, held_back: Features) -> float:
    """Share of clips whose last call, of (clips, calls, labels), is right."""
    return float((probabilities[:, -1].argmax(-1) == held_back.labels).mean())


def runtimes_of(kind: str) -> list[str] | list[None]:
    """The runtimes that this machine can check a format with."""
    return [None] if kind == "onnx" else installed_tflite_runtimes()


def python(words: list[str], what: str) -> None:
    """Run a module of this project in a fresh process. Raise EdgeError, with its last word, unless it succeeds."""
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    if done.returncode < 0:
        raise EdgeError(f"{what} crashed with signal {-done.returncode}")
    if done.returncode:
        raise EdgeError(f"{what} failed: {(done.stderr.strip() or 'no word').splitlines()[-1]}")


def table(card: Card, report: dict[str, object], checks: list[Check]) -> str:
    """The checks as text for a terminal."""
    lines = [
        f"{report['run']}: {card.mode} model, {report['clips']} held-back clips, {report['calls']} calls, "
        f"Keras' accuracy {report['keras_accuracy']:.4f}",
        f"{'file':22} {'runtime':23} {'kB':>6} {'max |dp|':>9} {'labels':>7} {'accuracy':>8} {'us/call':>8}",
    ]
    for c in checks:
        lines.append(
            f"{c.file:22} {c.runtime:23} {c.bytes / 1000:6.0f} {c.greatest_difference:9.2g} "
            f"{c.label_agreement:7.2%} {c.accuracy:8.4f} {c.microseconds:8.0f}"
            + (f"  {c.problem}" if c.problem else "")
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run_command(main))
