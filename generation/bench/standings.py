"""From what the arms did to figures, tables and charts."""

from __future__ import annotations

from collections.abc import Mapping

from generation.bench.loads import Load, Outcome, overloaded
from generation.bench.measures import summarise
from generation.bench.plots import Chart
from generation.bench.report import Report, Sheet, shown
from generation.bench.trace import MIXES

LINES = {
    "pictures/s": "pictures_per_s",
    "pictures/s × fifo": "pictures_per_s_to_fifo",
    "pictures/s × fifo-alike": "pictures_per_s_to_alike",
    "pictures/s of the roof": "share_of_roof",
    "image-steps/s": "image_steps_per_s",
    "latency p50 s": "latency_p50_s",
    "latency p95 s": "latency_p95_s",
    "latency p95 × fifo": "latency_p95_s_to_fifo",
    "latency p95 × fifo-alike": "latency_p95_s_to_alike",
    "latency p99 s": "latency_p99_s",
    "first preview p50 s": "first_preview_p50_s",
    "first preview p95 s": "first_preview_p95_s",
    "first preview p95 × fifo": "first_preview_p95_s_to_fifo",
    "slowdown p95": "slowdown_p95",
    "rows/call": "rows_per_call",
    "padded": "padded_share",
}
ON_A_CARD = {
    "busy": "busy_share",
    "clock MHz": "clock_mhz",
    "watts": "mean_watts",
    "joules/picture": "joules_per_picture",
    "memory GiB": "peak_memory_gib",
}
BASES = {"fifo": "fifo", "fifo-alike": "alike"}  # whom everybody is compared with: arm → its name in figures
COMPARED = ("pictures_per_s", "latency_p95_s", "first_preview_p95_s")


def fill(report: Report, outcome: Outcome) -> None:
    """Put everything into `report`."""
    roof = outcome.capacity.get("roof")
    standings: dict[str, dict[str, dict[str, float]]] = {}
    for load in outcome.loads:
        found = {arm: summarise(run, outcome.alone, roof) for arm, run in outcome.runs[load.name].items()}
        _compare(found)
        standings[load.name] = found
        for arm, figures in found.items():
            report.figures |= {f"{load.name}.{arm}.{name}": value for name, value in figures.items()}
        report.sheets.append(_sheet(load, found))
    report.charts += _charts(outcome, standings)
    report.notes += _notes(outcome)


def _compare(found: Mapping[str, dict[str, float]]) -> None:
    """Add each arm's figures as multiples of those of the plain calls, as peers run them and in ours' format."""
    for arm, base in BASES.items():
        theirs = dict(found.get(arm, {}))
        for figures in found.values():
            for name in COMPARED:
                if theirs.get(name) and name in figures:
                    figures[f"{name}_to_{base}"] = figures[name] / theirs[name]


def _sheet(load: Load, found: Mapping[str, Mapping[str, float]]) -> Sheet:
    on_a_card = {title: name for title, name in ON_A_CARD.items() if any(name in item for item in found.values())}
    marks = {arm: " *" if overloaded(load, arm) else "" for arm in found}
    rows = [
        [title, *(shown(figures.get(name)) for figures in found.values())]
        for title, name in (LINES | on_a_card).items()
        if any(name in figures for figures in found.values())
    ]
    return Sheet(load.words, ("", *(arm + marks[arm] for arm in found)), rows)


def _charts(outcome: Outcome, standings: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[Chart]:
    common = [load for load in outcome.loads if load.common is not None]

    def lines(figure: str) -> dict[str, list[tuple[float, float]]]:
        found: dict[str, list[tuple[float, float]]] = {}
        for load in common:
            for arm, figures in standings[load.name].items():
                if figure in figures and load.common is not None:
                    found.setdefault(arm, []).append((load.common, figures[figure]))
        return found

    if not common:
        return []
    across = "load (× the capacity of fifo)"
    return [
        Chart(name=name, title=title, across=across, up=up, lines=lines(figure))
        for name, title, up, figure in (
            ("latency", "Waiting for the finished file", "latency p95, seconds", "latency_p95_s"),
            ("first-preview", "Waiting for the first preview", "first preview p95, seconds", "first_preview_p95_s"),
            ("throughput", "Pictures that get done", "pictures a second", "pictures_per_s"),
            ("rows-per-call", "Rows that share a call of the denoiser", "rows per call", "rows_per_call"),
        )
    ]


def _notes(outcome: Outcome) -> list[str]:
    trace = outcome.trace
    mix = MIXES.get(trace.mix)
    burst = f", {trace.burst[1] - trace.burst[0]} of them within a second" if trace.burst is not None else ""
    found = [
        f"Trace: {len(trace.requests)} requests for {trace.pictures} pictures{burst}, seed {trace.seed}, "
        f"mix “{trace.mix}”" + (f": {mix.words}." if mix is not None else "."),
        "Latency runs from the planned moment of a request to the bytes of its last file (lossless WebP); the last "
        "tenth of the requests does not count for it. Pictures/s: all of them, from the first moment to the last file.",
        "Slowdown: latency over the time that the same request took in fifo once it had begun.",
    ]
    if any(overloaded(load, arm) for load in outcome.loads for arm in load.rates):
        found.append("* more was asked for than this arm can do: its waiting grows with the length of the trace.")
    return found
