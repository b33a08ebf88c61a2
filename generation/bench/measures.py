"""What is read from a run: percentiles, throughput, and slowdown against being alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

TAIL = 0.1  # of the requests: those that come last meet an engine that empties


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One request's moments in a run, in seconds after the run's start."""

    number: int
    pictures: int
    image_steps: int  # pictures × steps
    arrived: float
    started: float | None = None  # when work on it began, where that can be said
    first: float | None = None  # the first preview
    done: float  # the last picture's encoded bytes


@dataclass(slots=True)
class Calls:
    """How a run used the denoiser."""

    calls: int = 0
    rows: int = 0  # that belonged to somebody
    padded: int = 0  # that only filled a call up

    def add(self, other: Calls) -> None:
        """Count another run's calls as well."""
        self.calls += other.calls
        self.rows += other.rows
        self.padded += other.padded


@dataclass(slots=True)
class Run:
    """Everything one arm did at one load, over all blocks."""

    blocks: list[list[Served]] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    gauges: dict[str, list[float]] = field(default_factory=dict)  # what the card said, one value per block


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 … 1) of `values` lie, linear between neighbours (Hyndman and Fan's type 7)."""
    if not values:
        raise ValueError("no values")
    ranked = sorted(values)
    place = (len(ranked) - 1) * min(max(share, 0.0), 1.0)
    low = math.floor(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


def drained(block: Sequence[Served]) -> tuple[int, int, float]:
    """Pictures, image-steps and seconds from the first arrival to the last file.

    All of it counts: whoever does short jobs first would gain from a window that ends before the long ones.
    """
    start, end = min(served.arrived for served in block), max(served.done for served in block)
    return sum(served.pictures for served in block), sum(served.image_steps for served in block), end - start


def kept(block: Sequence[Served]) -> list[Served]:
    """The requests whose waiting counts: all but the last TAIL to arrive."""
    ranked = sorted(block, key=lambda served: served.arrived)
    return ranked[: max(1, math.ceil(len(ranked) * (1.0 - TAIL)))]


def summarise(run: Run, alone: Mapping[int, float], roof: float | None) -> dict[str, float]:
    """Figures of one arm at one load; what could not be measured is absent.

    `alone` holds the seconds that a request needs by itself, by number; `roof` pictures a second.
    """
    totals = [drained(block) for block in run.blocks]
    seconds = sum(span for _, _, span in totals)
    counted = [served for block in run.blocks for served in kept(block)]
    latencies = [served.done - served.arrived for served in counted]
    firsts = [served.first - served.arrived for served in counted if served.first is not None]
    slower = [(s.done - s.arrived) / alone[s.number] for s in counted if alone.get(s.number)]
    figures = {"requests": float(len(counted))}
    if seconds > 0:
        figures["pictures_per_s"] = sum(pictures for pictures, _, _ in totals) / seconds
        figures["image_steps_per_s"] = sum(steps for _, steps, _ in totals) / seconds
        if roof:
            figures["share_of_roof"] = figures["pictures_per_s"] / roof
    for share in (50, 95, 99):
        figures[f"latency_p{share}_s"] = percentile(latencies, share / 100)
    if firsts:
        figures["first_preview_p50_s"] = percentile(firsts, 0.5)
        figures["first_preview_p95_s"] = percentile(firsts, 0.95)
    if slower:
        figures["slowdown_p95"] = percentile(slower, 0.95)
    if run.calls.calls:
        figures["rows_per_call"] = run.calls.rows / run.calls.calls
        figures["padded_share"] = run.calls.padded / max(1, run.calls.rows + run.calls.padded)
    figures |= {name: sum(values) / len(values) for name, values in run.gauges.items() if values}
    return figures
