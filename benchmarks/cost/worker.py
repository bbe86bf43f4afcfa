"""The measured process of a competitor, or of several streams on one network.

    python -m benchmarks.cost.worker FOLDER AUDIO --competitor NAME ...
    python -m benchmarks.cost.worker MODEL AUDIO --streams N ...

prints a Measurement as JSON, as edge.benchmark.worker does, whose other arguments it takes. FOLDER holds the window
networks of a competitor (benchmarks.cost.window_networks).
"""

import sys

from edge.benchmark.measurement import RUNTIME_THREADS
from edge.benchmark.worker import measure, parser, print_measurement, workload
from edge.cli.exit_status import run as run_command
from edge.model.load import load_model


def main() -> int:
    """Measure and print."""
    p = parser("benchmarks.cost.worker")
    p.add_argument("--competitor", metavar="NAME", help="listen with this competitor")
    p.add_argument("--streams", type=int, default=1, metavar="N", help="number of listeners on one network (1)")
    args = p.parse_args()
    if args.competitor is None:
        model = load_model(args.model, RUNTIME_THREADS)
        models = [model, *(model.another() for _ in range(args.streams - 1))]
        print_measurement(measure(models, workload(args), str(args.model), args.model.stat().st_size))
    else:
        from benchmarks.cost.competitors import competitor  # not before: the memory of the streams is measured here

        model = competitor(args.competitor).model_of(args.model)
        print_measurement(measure([model], workload(args), args.competitor, None))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main, extra="bench"))
