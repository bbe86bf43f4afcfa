"""The results as text for a terminal."""

from collections.abc import Sequence

from edge.benchmark.machine import Machine
from edge.benchmark.measurement import END_TO_END, STAGES, Measurement
from edge.benchmark.suite import ModelResult, Results
from edge.table import format_table


def tables(results: Results) -> str:
    """Format every table, separated by empty lines."""
    parts = (
        costs(results.measurements),
        processes(results.measurements),
        networks(results.models),
        whole_commands(results.models),
    )
    return "\n\n".join(parts)


def costs(measurements: Sequence[Measurement]) -> str:
    """Time per hop and CPU time by stage."""
    rows: list[tuple[str, ...]] = [("ms per hop", "stage", "p50", "p95", "p99", "worst", "CPU ms per s of audio")]
    for m in measurements:
        for stage in (*STAGES, END_TO_END):
            c = m.costs[stage]
            numbers = (c.p50_ms, c.p95_ms, c.p99_ms, c.worst_ms, c.cpu_ms_per_audio_s)
            name = m.model if stage == STAGES[0] else ""
            rows.append((name, stage.replace("_", " "), *(f"{number:.3f}" for number in numbers)))
    return format_table(rows, "<<>>>>>")


def processes(measurements: Sequence[Measurement]) -> str:
    """Memory, threads and start of the listening process."""
    heading = ("hops", "file kB", "resident MB", "peak MB", "threads", "ready ms", "answer ms", "real-time factor")
    rows = [("process", *heading, "model and runtime")]
    for m in measurements:
        numbers = (
            f"{m.hops}",
            f"{(m.model_bytes or 0) / 1000:.0f}",
            megabytes(m.resident_bytes),
            megabytes(m.peak_resident_bytes),
            f"{m.process_threads or '?'}",
            f"{m.ready_ms:.0f}",
            f"{m.first_answer_ms:.0f}",
            f"{m.real_time_factor:.5f}",
        )
        rows.append((m.model, *numbers, f"{m.format} {m.mode}, {m.runtime}"))
    audio_s = max(m.first_answer_audio_s for m in measurements)
    lines = [
        format_table(rows, f"<{'>' * len(heading)}<"),
        "ready: from the start of the process, including Python, imports and model, until it waits for audio.",
        f"answer: the same until the first answer; its audio ({audio_s:.1f} s at most) comes from a file, at once.",
    ]
    return "\n".join(lines)


def networks(results: Sequence[ModelResult]) -> str:
    """Times of the network alone, named as TFLite's benchmark_model names them."""
    lines = []
    for result in results:
        m = result.network
        memory = m["Memory footprint delta"]
        lines.append(
            f"{result.measurement.model}: Inference timings in us: Init: {m['Init']:.0f}, First inference: "
            f"{m['First inference']:.0f}, Warmup (avg): {m['Warmup (avg)']:.1f}, Inference (avg): "
            f"{m['Inference (avg)']:.1f}; Memory footprint delta (MB): init={_or_unknown(memory['init'])} "
            f"overall={_or_unknown(memory['overall'])}"
        )
    return "\n".join(lines)


def whole_commands(results: Sequence[ModelResult]) -> str:
    """CPU time of the whole command edge-listen on a file, beside that of the loop."""
    rows = [("edge-listen FILE --json > /dev/null", "loop", "command, min", "median", "start-up ms, min", "median")]
    for result in results:
        per_s, start_up = result.command.cpu_ms_per_audio_s, result.command.start_up_cpu_ms
        loop = result.measurement.costs[END_TO_END].cpu_ms_per_audio_s
        numbers = (f"{loop:.3f}", f"{per_s.min:.3f}", f"{per_s.median:.3f}")
        rows.append((result.measurement.model, *numbers, f"{start_up.min:.0f}", f"{start_up.median:.0f}"))
    first = results[0].command
    lines = [
        format_table(rows, "<>>>>>"),
        "loop, command: CPU ms (user and system) per s of audio. loop: end to end, as above. command: decoding,",
        f"listening and printing, from {first.runs} runs each on 16-bit WAV files of {first.short_audio_s:g} s and "
        f"{first.long_audio_s:g} s,",
        "as fast as possible: the difference in CPU time over the difference in length. start-up: the rest.",
    ]
    return "\n".join(lines)


def verdict(measurements: Sequence[Measurement], machine: Machine) -> str:
    """One sentence: does this machine keep up, at which hop, and with which share of one core."""
    runtimes = sorted({m.runtime for m in measurements})
    machine_and_state = f"This machine ({machine.identity}, {', '.join(runtimes)}, {machine.condition})"
    hop = f"at a hop of {measurements[0].hop_s:g} s"
    in_time = [m for m in measurements if m.keeps_up]
    late = [m for m in measurements if not m.keeps_up]
    if not in_time:
        return f"{machine_and_state} does not keep up {hop}: {core_shares(late)}."
    exception = f"; it does not with {core_shares(late)}" if late else ""
    return f"{machine_and_state} keeps up {hop} with {core_shares(in_time)}{exception}."


def core_shares(measurements: Sequence[Measurement]) -> str:
    """Share of one core that a model takes, or the least and the greatest share of several models."""
    by_share = sorted(measurements, key=lambda m: m.core_share)
    least, most = by_share[0], by_share[-1]
    if least is most:
        return f"{least.core_share:.2%} of one core ({least.model})"
    return (
        f"{len(by_share)} models, which take from {least.core_share:.2%} of one core ({least.model}) "
        f"to {most.core_share:.2%} ({most.model})"
    )


def megabytes(size: int | None) -> str:
    """Bytes as MB (10^6 bytes); a question mark if unknown."""
    return "?" if size is None else f"{size / 1e6:.1f}"


def _or_unknown(number: float | None) -> str:
    return "?" if number is None else f"{number:.2f}"
