"""What moderators look back at: figures by day, waits and recent pictures of one guild. Nothing here writes.

Job ids sort as they were made, so every question about a span of time is a range of the primary key. What was asked
privately is nobody's business but its author's: it counts in figures and is shown nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.moderation.verdict import Decision
from bot.store.database import Database
from bot.store.rows import first_id
from bot.store.schema import cases, filter_hits, jobs, members, pictures
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
    refused: int = 0  # by the filter, at once or just before they would have been painted
    withheld: int = 0  # pictures that the gate kept back
    failed: int = 0  # for which the house is to blame
    waiting: int = 0  # cases that were open at its end


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
        day = _day_of(jobs.c.accepted_at).label("day")
        here = self._since(guild_id, first * DAY)
        figures = select(
            day,
            func.count().label("requests"),
            _total(jobs.c.state.in_(SHOWN), jobs.c.pictures).label("pictures"),
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
            refused = await self._refused(connection, guild_id, first)
            waiting = await self._waiting(connection, guild_id, first, today)
        found = {int(row.day): row for row in rows}
        return [
            DayFigures(
                begins=float(number * DAY),
                pictures=int(found[number].pictures) if number in found else 0,
                requests=int(found[number].requests) if number in found else 0,
                failed=int(found[number].failed) if number in found else 0,
                refused=refused.get(number, 0),
                withheld=int(held.get(number, 0)),
                waiting=waiting[number],
            )
            for number in range(first, today + 1)
        ]

    async def _refused(self, connection: AsyncConnection, guild_id: int, first: int) -> dict[int, int]:
        table = filter_hits.c
        blocked = and_(table.guild_id == guild_id, table.at >= first * DAY, table.severity == Decision.BLOCK.value)
        return await _per_day(connection, table.at, blocked)

    async def _waiting(self, connection: AsyncConnection, guild_id: int, first: int, last: int) -> dict[int, int]:
        """Cases open at the end of every day, from those open before the first one and what came and went since."""
        table, since = cases.c, first * DAY
        here = table.guild_id == guild_id
        ended = or_(table.ruled_at.is_(None), table.ruled_at >= since)
        query = select(func.count()).where(here, table.opened_at < since, ended)
        open_now = int((await connection.execute(query)).scalar_one())
        opened = await _per_day(connection, table.opened_at, and_(here, table.opened_at >= since))
        decided = await _per_day(connection, table.ruled_at, and_(here, table.ruled_at >= since))
        changes = [opened.get(day, 0) - decided.get(day, 0) for day in range(first, last + 1)]
        return dict(zip(range(first, last + 1), list(accumulate(changes, initial=open_now))[1:], strict=True))

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


def _day_of(moment: Any) -> Any:
    # Whole numbers are divided alike by every database; PostgreSQL rounds the half second before midnight up.
    return cast(moment, BigInteger) // DAY


async def _per_day(connection: AsyncConnection, moment: Any, where: ColumnElement[bool]) -> dict[int, int]:
    """How many rows there are for each day (UTC) of `moment`."""
    day = _day_of(moment).label("day")
    rows = await connection.execute(select(day, func.count().label("rows")).where(where).group_by(day))
    return {int(row.day): int(row.rows) for row in rows}


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
