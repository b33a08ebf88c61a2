"""What moderators look back at: figures by day, waits, recent pictures and prompts of one guild. Nothing here writes.

Job ids sort as they were made, so every question about a span of time is a range of the primary key. What was asked
privately is nobody's business but its author's: it counts in figures and is shown nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, select

from bot.store.database import Database
from bot.store.rows import first_id
from bot.store.schema import jobs, members, pictures
from generation.job import JobState
from generation.request import Request

DAY: Final = 86_400  # seconds
DAYS: Final = 30  # how far one can look back
WAITS: Final = (5, 15, 60, 300, 900)  # seconds; bounds of the shares of waits, the last share is open
SHOWN: Final = (JobState.RENDERED, JobState.POSTED)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day (UTC) of a guild."""

    begins: float  # epoch seconds
    pictures: int = 0  # painted and shown
    requests: int = 0  # admitted
    blocked: int = 0  # admitted, then stopped by a rule before they were painted
    withheld: int = 0  # pictures that the gate kept back
    failed: int = 0  # for which the house is to blame


@dataclass(frozen=True, slots=True)
class PastJob:
    """A finished job as moderators see it."""

    id: str
    author_id: int
    channel_id: int
    request: Request
    accepted_at: float
    state: JobState
    reason: str


class Lookback:
    """Reads for moderators."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def by_day(self, guild_id: int) -> list[DayFigures]:
        """The last 30 days, oldest first, days without anything included."""
        today = int(self._clock()) // DAY
        first = today - DAYS + 1
        # Whole numbers are divided alike by every database; PostgreSQL rounds the half second before midnight up.
        day = (cast(jobs.c.accepted_at, BigInteger) // DAY).label("day")
        here = self._since(guild_id, first * DAY)
        figures = select(
            day,
            func.count().label("requests"),
            _total(jobs.c.state.in_(SHOWN), jobs.c.pictures).label("pictures"),
            _total(and_(jobs.c.state == JobState.BLOCKED, jobs.c.seconds == 0)).label("blocked"),
            _total(jobs.c.state == JobState.FAILED).label("failed"),
        )
        kept_back = and_(pictures.c.sha256.is_(None), pictures.c.place >= 0)
        withheld = select(day, func.count().label("withheld")).join(pictures, pictures.c.job_id == jobs.c.id)
        async with self._database.read() as connection:
            rows = (await connection.execute(figures.where(here).group_by(day))).all()
            held = {
                int(row.day): row.withheld
                for row in await connection.execute(withheld.where(here, kept_back).group_by(day))
            }
        found = {int(row.day): row for row in rows}
        return [_day(number, found.get(number), held.get(number, 0)) for number in range(first, today + 1)]

    async def waits(self, guild_id: int) -> list[int]:
        """How many painted jobs of the last 30 days waited up to each of WAITS, and how many longer."""
        waited = jobs.c.claimed_at - jobs.c.accepted_at
        lower = (-1, *WAITS)
        shares = [_total(and_(waited > low, waited <= high)) for low, high in zip(lower, WAITS, strict=False)]
        query = select(*shares, _total(waited > WAITS[-1])).where(self._since(guild_id), _in(*SHOWN))
        async with self._database.read() as connection:
            return [int(count or 0) for count in (await connection.execute(query)).one()]

    async def recent(self, guild_id: int, *, before: str = "", limit: int = 24) -> list[PastJob]:
        """Painted or withheld jobs of the last 30 days, newest first, made before the job `before`."""
        states = _in(*SHOWN, JobState.BLOCKED)
        query = select(jobs).where(self._since(guild_id), states, jobs.c.private.is_(False))
        if before:
            query = query.where(jobs.c.id < before)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(jobs.c.id.desc()).limit(limit))).all()
        return [_past(row) for row in rows]

    async def one(self, guild_id: int, job_id: str) -> PastJob | None:
        """A finished job of this guild that was not private; None for any other."""
        states = _in(*SHOWN, JobState.BLOCKED)
        here = and_(jobs.c.id == job_id, jobs.c.guild_id == guild_id, jobs.c.private.is_(False), states)
        async with self._database.read() as connection:
            row = (await connection.execute(select(jobs).where(here))).first()
        return _past(row) if row is not None else None

    async def prompts(self, guild_id: int, *, limit: int = 2_000) -> list[str]:
        """The newest prompts of the last 30 days, the newest first."""
        prompt = jobs.c.request["prompt"].as_string()
        query = select(prompt).where(self._since(guild_id), jobs.c.private.is_(False))
        async with self._database.read() as connection:
            return list((await connection.execute(query.order_by(jobs.c.id.desc()).limit(limit))).scalars())

    async def spent_today(self, guild_id: int, *, limit: int = 20) -> list[tuple[int, float]]:
        """Who spent most credits today (UTC), most first."""
        today = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        here = and_(members.c.guild_id == guild_id, members.c.day == today, members.c.spent > 0)
        query = select(members.c.member_id, members.c.spent).where(here).order_by(members.c.spent.desc()).limit(limit)
        async with self._database.read() as connection:
            return [(int(row.member_id), float(row.spent)) for row in await connection.execute(query)]

    def _since(self, guild_id: int, moment: float | None = None) -> ColumnElement[bool]:
        since = self._clock() - DAYS * DAY if moment is None else moment
        return and_(jobs.c.id >= first_id(since), jobs.c.guild_id == guild_id)


def _in(*states: JobState) -> ColumnElement[bool]:
    # Wrapped, so that no planner takes the index of the line and sorts all there ever was of a state.
    return func.coalesce(jobs.c.state, "").in_(states)


def _total(condition: ColumnElement[bool], value: Any = 1) -> Any:
    return func.sum(case((condition, value), else_=0))


def _day(number: int, row: Any, withheld: int) -> DayFigures:
    if row is None:
        return DayFigures(begins=float(number * DAY))
    return DayFigures(
        begins=float(number * DAY),
        pictures=int(row.pictures),
        requests=int(row.requests),
        blocked=int(row.blocked),
        withheld=int(withheld),
        failed=int(row.failed),
    )


def _past(row: Any) -> PastJob:
    return PastJob(
        id=row.id,
        author_id=row.author_id,
        channel_id=row.channel_id,
        request=Request.from_json(row.request),
        accepted_at=row.accepted_at,
        state=JobState(row.state),
        reason=row.reason,
    )
