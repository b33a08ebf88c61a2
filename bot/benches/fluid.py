"""The ideal that fairness is measured against: a painter whose time can be divided without end.

At every moment its speed is shared evenly among the guilds that have something to paint, and in each guild evenly among
its members that do; what one does not need the others have (max-min fairness, as generalized processor sharing gives
it). No order of whole pictures can do this exactly.
Source: Parekh, Gallager, "A generalized processor sharing approach to flow control", 1993.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.benches.crowd import Asked

NEVER = float("inf")


@dataclass(slots=True)
class Ideal:
    """What the ideal painter does."""

    finished: list[float]  # seconds, of each job
    painted: dict[int, float]  # credits that each member has got at the horizon


@dataclass(slots=True)
class _Guild:
    """One guild: credits that each of its busy members has got since the beginning, and when jobs end on that scale."""

    level: float = 0.0
    ends: list[tuple[float, int]] = field(default_factory=list)  # heap of (level, number of the job)
    last: dict[int, float] = field(default_factory=dict)  # busy members: the level at which their last job ends


def ideal(jobs: Sequence[Asked], speed: float, horizon: float) -> Ideal:
    """Let the ideal painter do all `jobs` at `speed` credits a second."""
    guilds: dict[int, _Guild] = {}
    ends = [NEVER] * len(jobs)
    result = Ideal([0.0] * len(jobs), {})
    now, number = 0.0, 0
    while True:
        busy = [guild for guild in guilds.values() if guild.last]
        # Levels rise by this in a second; whoever's job ends first is next, unless somebody comes before.
        pace = {id(guild): speed / len(busy) / len(guild.last) for guild in busy}
        first = min(busy, key=lambda guild: (guild.ends[0][0] - guild.level) / pace[id(guild)], default=None)
        ending = now + (first.ends[0][0] - first.level) / pace[id(first)] if first is not None else NEVER
        coming = jobs[number].at if number < len(jobs) else NEVER
        moment = min(ending, coming)
        if now <= horizon < moment:
            _advance(busy, pace, horizon - now)
            now, result.painted = horizon, _painted(jobs[:number], ends, guilds)
            if moment == NEVER:
                return result
            _advance(busy, pace, moment - now)
        elif moment == NEVER:
            return result
        else:
            _advance(busy, pace, moment - now)
        now = moment
        if coming < ending:
            _come(guilds.setdefault(jobs[number].guild, _Guild()), jobs[number], number, ends)
            number += 1
        elif first is not None:
            level, done = heapq.heappop(first.ends)
            first.level, result.finished[done] = level, now
            if first.last[jobs[done].member] == level:
                del first.last[jobs[done].member]


def _advance(busy: Sequence[_Guild], pace: dict[int, float], seconds: float) -> None:
    for guild in busy:
        guild.level += pace[id(guild)] * seconds


def _come(guild: _Guild, job: Asked, number: int, ends: list[float]) -> None:
    end = max(guild.level, guild.last.get(job.member, 0.0)) + job.cost
    guild.last[job.member] = ends[number] = end
    heapq.heappush(guild.ends, (end, number))


def _painted(jobs: Sequence[Asked], ends: Sequence[float], guilds: dict[int, _Guild]) -> dict[int, float]:
    found: dict[int, float] = {}
    for job, end in zip(jobs, ends, strict=False):
        left = max(0.0, end - guilds[job.guild].level)
        found[job.member] = found.get(job.member, 0.0) + job.cost - min(job.cost, left)
    return found
