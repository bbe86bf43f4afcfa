"""The measurements as text for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from edge.benchmark.machine import Machine
from edge.benchmark.measurement import END_TO_END, FRONT_END, MODEL, STAGES, Measurement
from benchmarks.cost.competitors import Rival


def costs(measurements: Sequence[Measurement]) -> str:
    """What a hop costs, stage by stage."""
    wide = max(len(m.model) for m in measurements)
    head = f"{'stage':10} {'p50':>8} {'p95':>8} {'p99':>8} {'worst':>8}"
    lines = [f"{'ms per hop':{wide}}  {head}  CPU ms per s of audio"]
    for m in measurements:
        for stage in (*STAGES, END_TO_END):
            c = m.costs[stage]
            lines.append(
                f"{m.model if stage == STAGES[0] else '':{wide}}  {stage.replace('_', ' '):10} "
                f"{c.p50_ms:8.3f} {c.p95_ms:8.3f} {c.p99_ms:8.3f} {c.worst_ms:8.3f}  {c.cpu_ms_per_audio_s:21.3f}"
            )
    return "\n".join(lines)


def processes(measurements: Sequence[Measurement]) -> str:
    """What a process that listens takes, and how soon it answers."""
    wide = max(len(m.model) for m in measurements)
    head = (
        f"{'resident MB':>11} {'peak MB':>7} {'threads':>7} {'ready ms':>8} {'answer ms':>9} {'real-time factor':>16}"
    )
    lines = [f"{'process':{wide}}  {'hops':>5} {'file kB':>7} {head}  model and runtime"]
    for m in measurements:
        lines.append(
            f"{m.model:{wide}}  {m.hops:5} {(m.model_bytes or 0) / 1000:7.0f} {megabytes(m.resident_bytes):>11} "
            f"{megabytes(m.peak_resident_bytes):>7} {m.process_threads or '?':>7} {m.ready_ms:8.0f} "
            f"{m.first_answer_ms:9.0f} {m.real_time_factor:16.5f}  {m.format} {m.mode}, {m.runtime}"
        )
    audio_s = max(m.first_answer_audio_s for m in measurements)
    lines += [
        "ready: from the start of the process, with Python, imports and model, until it waits for audio.",
        f"answer: the same until the first answer; its audio ({audio_s:.1f} s at most) comes from a file, at once.",
    ]
    return "\n".join(lines)


def networks(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """The network by itself, in the words of TFLite's benchmark_model."""
    lines = []
    for model, m in measured.items():
        memory = m["Memory footprint delta"]
        lines.append(
            f"{model}: Inference timings in us: Init: {m['Init']:.0f}, First inference: {m['First inference']:.0f}, "
            f"Warmup (avg): {m['Warmup (avg)']:.1f}, Inference (avg): {m['Inference (avg)']:.1f}; Memory footprint "
            f"delta (MB): init={_or_unknown(memory['init'])} overall={_or_unknown(memory['overall'])}"
        )
    return "\n".join(lines)


def ratios(ours: Measurement, rivals: Mapping[Rival, Measurement]) -> str:
    """What others take of the CPU, and how many times what we take."""
    wide = max(len(m.model) for m in (ours, *rivals.values()))
    compared = (END_TO_END, FRONT_END, MODEL)
    lines = [f"{'CPU ms per s of audio':{wide}}  " + "  ".join(f"{stage.replace('_', ' '):>18}" for stage in compared)]
    for rival, m in {None: ours, **rivals}.items():
        cells = []
        for stage in compared:
            took, we_take = (x.costs[stage].cpu_ms_per_audio_s for x in (m, ours))
            if rival is not None and rival.front_end_only and stage != FRONT_END:
                cells.append(f"{'-':>18}")
            else:
                cells.append(f"{took:9.3f} {f'({took / we_take:.1f}x)':>8}")
        lines.append(f"{m.model:{wide}}  " + "  ".join(cells))
    return "\n".join(lines)


def verdict(measurements: Sequence[Measurement], machine: Machine) -> str:
    """One sentence: whether this machine keeps up, with what share of one core, at which hop."""
    runtimes = sorted({m.runtime for m in measurements})
    who = f"This machine ({machine.identity}, {', '.join(runtimes)}, {machine.condition})"
    hop = f"at a hop of {measurements[0].hop_s:g} s"
    good = [m for m in measurements if m.keeps_up]
    late = [m for m in measurements if not m.keeps_up]
    if not good:
        return f"{who} does not keep up {hop}: {shares(late)}."
    but = f"; it does not with {shares(late)}" if late else ""
    return f"{who} keeps up {hop} with {shares(good)}{but}."


def shares(measurements: Sequence[Measurement]) -> str:
    """The share of one core that a model takes, or the least and the greatest of several."""
    by_share = sorted(measurements, key=lambda m: m.core_share)
    least, most = by_share[0], by_share[-1]
    if least is most:
        return f"{least.core_share:.2%} of one core ({least.model})"
    return (
        f"{len(by_share)} models, which take from {least.core_share:.2%} of one core ({least.model}) "
        f"to {most.core_share:.2%} ({most.model})"
    )


def _or_unknown(megabytes: float | None) -> str:
    return "?" if megabytes is None else f"{megabytes:.2f}"


def megabytes(size: int | None) -> str:
    """Bytes as 10^6 bytes."""
    return "?" if size is None else f"{size / 1e6:.1f}"
