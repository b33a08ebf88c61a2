"""The fair order of the line: start-time fair queueing over guilds, and in each guild over its members.

A flow's start tag is the later of the virtual time around it and the finish tag of what it got before; whoever has the
smallest start tag goes next. Heavy users queue behind their own jobs, a newcomer starts at the head of the present.
Source: Goyal, Vin, Cheng, "Start-time fair queueing", 1996. A virtual time is the start tag of what was served last.
"""

from __future__ import annotations

from dataclasses import dataclass

from generation.limits import SKEW

AGE_BOUND = 600.0  # seconds; once the oldest job of a guild has waited so long, whoever comes later starts behind it


@dataclass(frozen=True, slots=True)
class Tags:
    """A place in the fair order, in credits per unit of weight."""

    start: float
    finish: float


def tags(virtual_time: float, last_finish: float, cost: float, weight: float) -> Tags:
    """Tags for the next service of a flow whose previous one finishes at `last_finish`."""
    start = max(virtual_time, last_finish)
    return Tags(start, start + cost / weight)


def present(virtual_time: float, oldest_start: float | None, oldest_waited: float) -> float:
    """Where newcomers start: at the virtual time, or at the oldest waiting job once that has waited too long.

    Without this bound a stream of newcomers, each entitled to start at once, could keep a job waiting for ever. One
    that was accepted later than now waits since before the clock was set back: long enough.
    """
    if oldest_start is None or -SKEW < oldest_waited < AGE_BOUND:
        return virtual_time
    return max(virtual_time, oldest_start)


def estimate(ahead_seconds: float, own_seconds: float, workers: int) -> float:
    """Seconds until a job is done when `ahead_seconds` of work stands before it on `workers` equal workers."""
    return ahead_seconds / max(1, workers) + own_seconds
