"""The fair order of the line: start-time fair queueing over members.

A job's start tag is the later of the line's virtual time and the finish tag of its member's previous job; jobs are
painted by start tag. Heavy users queue behind their own jobs, a newcomer starts at the head of the present.
Source: Goyal, Vin, Cheng, "Start-time fair queueing", 1996. The virtual time is the start tag of the job painted last.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tags:
    """A job's place in the fair order, in credits per unit of weight."""

    start: float
    finish: float


def tags(virtual_time: float, last_finish: float, cost: float, weight: float) -> Tags:
    """Tags for the next job of a member whose previous job finishes at `last_finish`."""
    start = max(virtual_time, last_finish)
    return Tags(start, start + cost / weight)


def estimate(ahead_seconds: float, own_seconds: float, workers: int) -> float:
    """Seconds until a job is done when `ahead_seconds` of work stands before it on `workers` equal workers."""
    return ahead_seconds / max(1, workers) + own_seconds
