"""Jobs from admission to their end; every method is one committed transaction."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.order import Action, Address, Commission, LineEntry, Order, Quota
from bot.store.database import Database
from bot.store.schema import jobs, members, notes
from generation.errors import BadRequest, LineFull, OutOfCredits
from generation.job import ENDED, Job, JobState
from generation.limits import Allowance, available, charge, refund
from generation.queue import tags
from generation.request import Request

LIVE = (JobState.ACCEPTED, JobState.RUNNING)
VIRTUAL_TIME = "virtual_time"


def new_job_id(now: float) -> str:
    """16 characters of base32: 48 bits of milliseconds, so that ids sort by time, and 32 random bits."""
    raw = int(now * 1000).to_bytes(6, "big") + secrets.token_bytes(4)
    return base64.b32encode(raw).decode().lower()


class JobStore:
    """The jobs table and the members' accounts that are charged in the same breath."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    # -- admission ---------------------------------------------------------------------------------------------------

    async def enqueue(self, order: Order, cost: float, allowance: Allowance, line_limit: int) -> tuple[str, bool]:
        """Admit `order`, charging `cost` credits; returns the job's id and whether it already existed.

        Raises LineFull or OutOfCredits; then nothing was charged. When this returns the job is durable.
        """
        now = self._clock()
        async with self._database.write() as connection:
            existing = await self._same_press(connection, order)
            if existing is not None:
                return existing, True
            waiting = await _count(connection, jobs.c.state == JobState.ACCEPTED)
            if waiting >= line_limit:
                raise LineFull(f"The line is full ({line_limit:,} waiting); please try again in a few minutes.")
            await self._check_own_share(connection, order, allowance)
            start_tag = await self._charge(connection, order, cost, allowance, now)
            job_id = new_job_id(now)
            values = _row(order, job_id, cost, allowance.interval, start_tag, now)
            await connection.execute(insert(jobs).values(values))
        return job_id, False

    async def _same_press(self, connection: AsyncConnection, order: Order) -> str | None:
        same = jobs.c.interaction_id == order.address.interaction_id
        press = _press(order)
        if press is not None:
            same = or_(same, and_(jobs.c.press == press, jobs.c.state.in_(LIVE)))
        return (await connection.execute(select(jobs.c.id).where(same).limit(1))).scalar()

    async def _check_own_share(self, connection: AsyncConnection, order: Order, allowance: Allowance) -> None:
        own = await _count(connection, and_(jobs.c.author_id == order.member.id, jobs.c.state.in_(LIVE)))
        if own >= allowance.waiting:
            noun = "picture" if own == 1 else "requests"
            raise LineFull(f"You already have {own} {noun} in the line, which is the most at once; wait for one or cancel it.")

    async def _charge(
        self, connection: AsyncConnection, order: Order, cost: float, allowance: Allowance, now: float
    ) -> float:
        """Charge the member and return the job's start tag."""
        guild_id, member_id = order.member.guild_id or 0, order.member.id
        key = and_(members.c.guild_id == guild_id, members.c.member_id == member_id)
        row = (await connection.execute(select(members).where(key))).first()
        today = _day(now)
        tat, spent = (row.tat, row.spent if row.day == today else 0.0) if row else (0.0, 0.0)
        if spent + cost > allowance.daily:
            raise OutOfCredits("You have reached today's limit; it starts anew at midnight UTC.", retry_at=_midnight(now))
        asked = charge(tat, cost, now, allowance)
        if not asked.affordable and await self._others_wait(connection, member_id):
            raise _out_of_credits(asked.retry_at)
        virtual_time = await _virtual_time(connection)
        tag = tags(virtual_time, row.finish_tag if row else 0.0, cost, allowance.weight)
        values = {"finish_tag": tag.finish, "tat": asked.tat, "day": today, "spent": spent + cost}
        if row is None:
            await connection.execute(insert(members).values(guild_id=guild_id, member_id=member_id, **values))
        else:
            await connection.execute(update(members).where(key).values(values))
        return tag.start

    async def _others_wait(self, connection: AsyncConnection, member_id: int) -> bool:
        """Limits bind only while somebody else waits: an idle machine serves whoever asks."""
        return await _count(connection, and_(jobs.c.state == JobState.ACCEPTED, jobs.c.author_id != member_id)) > 0

    # -- painting ----------------------------------------------------------------------------------------------------

    async def claim(self) -> Job | None:
        """The next job in the fair order, now running; its image bytes are not loaded here."""
        async with self._database.write() as connection:
            query = select(jobs).where(jobs.c.state == JobState.ACCEPTED).order_by(jobs.c.start_tag, jobs.c.id).limit(1)
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            values = {"state": JobState.RUNNING, "attempt": row.attempt + 1, "claimed_at": self._clock()}
            await connection.execute(update(jobs).where(jobs.c.id == row.id).values(values))
            await _remember(connection, VIRTUAL_TIME, repr(max(row.start_tag, await _virtual_time(connection))))
        return Job(id=row.id, request=Request.from_json(row.request), attempt=row.attempt + 1)

    async def release(self, job: Job) -> None:
        """Back to the place in the line where it was."""
        async with self._database.write() as connection:
            await connection.execute(update(jobs).where(_owned(job)).values(state=JobState.ACCEPTED, claimed_at=None))

    async def mark_rendered(self, connection: AsyncConnection, job: Job, recipe: dict[str, object], seconds: float) -> bool:
        """Inside a transaction that also keeps the pictures; False when the job is no longer ours."""
        changed = await connection.execute(
            update(jobs).where(_owned(job)).values(state=JobState.RENDERED, recipe=recipe, seconds=seconds)
        )
        return bool(changed.rowcount)

    async def end(self, job_id: str, state: JobState, reason: str, *, give_back: bool, only_from: tuple[JobState, ...]) -> bool:
        """End a job; its credits are given back when `give_back`. False when it was not in `only_from` any more."""
        assert state in ENDED
        async with self._database.write() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).first()
            if row is None or JobState(row.state) not in only_from:
                return False
            values = {"state": state, "reason": reason, "ended_at": self._clock()}
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
            if give_back:
                await self._give_back(connection, row)
        return True

    async def _give_back(self, connection: AsyncConnection, row: Row[Any]) -> None:
        key = and_(members.c.guild_id == (row.guild_id or 0), members.c.member_id == row.author_id)
        account = (await connection.execute(select(members).where(key))).first()
        if account is None:
            return
        spent = max(0.0, account.spent - row.cost) if account.day == _day(row.accepted_at) else account.spent
        tat = account.tat - row.cost * row.interval
        await connection.execute(update(members).where(key).values(tat=tat, spent=spent))

    async def recover(self) -> int:
        """At start: whatever a former process was painting goes back to the line; returns how many jobs did."""
        async with self._database.write() as connection:
            running = jobs.c.state == JobState.RUNNING
            changed = await connection.execute(update(jobs).where(running).values(state=JobState.ACCEPTED, claimed_at=None))
        return changed.rowcount

    # -- looking -----------------------------------------------------------------------------------------------------

    async def get(self, job_id: str) -> Commission | None:
        """The stored job, or None."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).first()
        return _commission(row) if row is not None else None

    async def in_state(self, *states: JobState, author_id: int | None = None) -> list[Commission]:
        """All jobs in `states`, in the fair order."""
        query = select(jobs).where(jobs.c.state.in_(states)).order_by(jobs.c.start_tag, jobs.c.id)
        if author_id is not None:
            query = query.where(jobs.c.author_id == author_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [_commission(row) for row in rows]
