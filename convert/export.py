"""The command `python -m convert.export RUN --out DIR`: convert the network of a run and verify every model file.

Each file is opened in a fresh process by every runtime that a device may have, and compared with Keras on the held-back
features of the run. A file that exceeds its bounds is not written.
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
from edge.arrays import FloatArray
from edge.cli.exit_status import run as run_command
from edge.cli.parser import make_parser
from edge.errors import EdgeError
from edge.model.card import Card
from edge.model.runtime import installed_tflite_runtimes
from edge.native_stderr import silence_native_stderr
from edge.subprocess_error import failure_reason
from edge.table import format_table
from train.run.folder import HELD_BACK

FILES = {kind: f"model-{kind}.tflite" for kind in TFLITE_FORMATS} | {"onnx": "model.onnx"}
MAX_DIFFERENCE = {"float32": 1e-5, "onnx": 1e-5, "dynamic": 0.01}
MIN_AGREEMENT = {"int8": 0.97}
REPORT = "report.json"

EXAMPLES = (("python -m convert.export runs/edge --out models", ""),)


@dataclass(frozen=True)
class Check:
    """Comparison of one file in one runtime with Keras, over all calls on the held-back features."""

    file: str
    format: str
    runtime: str
    bytes: int
    greatest_difference: float  # of a probability
    label_agreement: float
    accuracy: float  # of the prediction after the last call of a clip
    microseconds: float  # median of a call on this machine, including Python

    @property
    def problem(self) -> str | None:
        """The bound that the file exceeds, as text; None if it exceeds none."""
        maximum, minimum = MAX_DIFFERENCE.get(self.format), MIN_AGREEMENT.get(self.format)
        if maximum is not None and not self.greatest_difference <= maximum:
            return f"a probability differs by {self.greatest_difference:.2g}, the maximum is {maximum:g}"
        if minimum is not None and not self.label_agreement >= minimum:
            return f"labels agree in {self.label_agreement:.1%}, the minimum is {minimum:.0%}"
        return None


def main() -> int:
    """Convert, verify, write the files that pass, and print a table; status 1 if a file was left out."""
    args = _parser().parse_args()
    card = load_card(args.run)
    held_back = load_features(args.run, HELD_BACK)
    expected = reference.probabilities(load_network(args.run), held_back.inputs, card.frames)
    args.out.mkdir(parents=True, exist_ok=True)
    checks: list[Check] = []
    problems: list[str] = []
    with tempfile.TemporaryDirectory(dir=args.out, prefix=".unchecked-") as folder:
        for kind, name in FILES.items():
            candidate = Path(folder) / name
            try:
                convert_in_subprocess(args.run, kind, candidate)
                file_checks = [
                    check(candidate, kind, args.run / HELD_BACK, held_back, expected, package)
                    for package in runtimes_of(kind)
                ]
            except EdgeError as error:
                problems.append(f"{name} is not written: {error}")
                continue
            checks += file_checks
            failed = [f"{name} is not written: in {c.runtime} {c.problem}" for c in file_checks if c.problem]
            problems += failed
            if failed:
                (args.out / name).unlink(missing_ok=True)  # of an earlier export
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


def convert_in_subprocess(run: Path, kind: str, out: Path) -> None:
    """Convert in a process of its own. Raises EdgeError, with the last line of its stderr, if that fails or crashes."""
    module = ["convert.to_onnx", str(run)] if kind == "onnx" else ["convert.to_tflite", str(run), kind]
    run_module([*module, str(out)], f"conversion to {kind}")


def check(
    candidate: Path, kind: str, features: Path, held_back: Features, expected: FloatArray, package: str | None
) -> Check:
    """Run a model file in a fresh process and compare it with Keras.

    Parameters
    ----------
    candidate
        The model file.
    kind
        Its format, a key of FILES.
    features
        File of the held-back features.
    held_back
        Its content.
    expected
        Probabilities of Keras, (clips, calls, labels).
    package
        TFLite runtime; None for ONNX.

    Raises
    ------
    EdgeError
        If the runtime cannot run the file.
    """
    outputs = candidate.with_suffix(".npz")
    module = ["convert.device_check", str(candidate), str(features), str(outputs)]
    run_module([*module, "--package", package] if package else module, f"{candidate.name} in a runtime of devices")
    with np.load(outputs) as arrays:
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
    """Accuracy of the last call of each clip, for (clips, calls, labels) probabilities."""
    return float((probabilities[:, -1].argmax(-1) == held_back.labels).mean())


def runtimes_of(kind: str) -> list[str] | list[None]:
    """Installed runtimes that can run a format."""
    return [None] if kind == "onnx" else installed_tflite_runtimes()


def run_module(arguments: list[str], task: str) -> None:
    """Run a module of this project in a fresh process. Raises EdgeError, with its last line, if it fails or crashes."""
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise EdgeError(f"{task} failed: {failure_reason(done)}")


def table(card: Card, report: dict[str, object], checks: list[Check]) -> str:
    """The checks as text."""
    heading = (
        f"{report['run']}: {card.mode} model, {report['clips']} held-back clips, {report['calls']} calls, "
        f"accuracy of Keras {report['keras_accuracy']:.4f}"
    )
    rows = [("file", "runtime", "kB", "max |dp|", "labels", "accuracy", "us/call", "")]
    for c in checks:
        numbers = (
            f"{c.bytes / 1000:.0f}",
            f"{c.greatest_difference:.2g}",
            f"{c.label_agreement:.2%}",
            f"{c.accuracy:.4f}",
            f"{c.microseconds:.0f}",
        )
        rows.append((c.file, c.runtime, *numbers, c.problem or ""))
    return f"{heading}\n{format_table(rows, '<<>>>>><')}"


def _parser() -> argparse.ArgumentParser:
    parser = make_parser(
        "python -m convert.export",
        "Convert the network of a run to .tflite and .onnx files and compare each with Keras.",
        EXAMPLES,
        "convert/README.md",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder of train.fit")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the model files and report.json"
    )
    return parser


if __name__ == "__main__":
    silence_native_stderr()
    sys.exit(run_command(main, extra="train,convert"))
