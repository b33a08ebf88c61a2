"""Jobs from admission to their end; every method is one committed transaction."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.order import Commission, Order, Quota
from bot.store import accounts
from bot.store.database import Database
from bot.store.pictures import keep_pictures
from bot.store.rows import JobIds, commission_of, job_values, press_of
from bot.store.schema import jobs
from bot.store.small import note, set_note
from generation.errors import LineFull
from generation.job import ENDED, Job, JobState, Result
from generation.limits import Allowance
from generation.request import Request

LIVE = (JobState.ACCEPTED, JobState.RUNNING)
VIRTUAL_TIME = "virtual_time"


class JobStore:
    """The jobs table; members are charged in the same breath."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._ids = JobIds()

    # -- admission ---------------------------------------------------------------------------------------------------

    async def enqueue(self, order: Order, cost: float, allowance: Allowance, line_limit: int) -> tuple[str, bool]:
        """Admit `order`, charging `cost` credits; returns the job's id and whether it already existed.

        Raises LineFull or OutOfCredits; then nothing was charged. When this returns, the job is durable.
        """
        now = self._clock()
        async with self._database.write() as connection:
            existing = await _same_press(connection, order)
            if existing is not None:
                return existing, True
            await _check_room(connection, order, allowance, line_limit)
            waits = and_(jobs.c.state == JobState.ACCEPTED, jobs.c.author_id != order.member.id)
            bill = await accounts.spend(
                connection,
                guild_id=order.member.guild_id,
                member_id=order.member.id,
                cost=cost,
                allowance=allowance,
                binding=await _count(connection, waits) > 0,
                virtual_time=await _virtual_time(connection),
                now=now,
            )
            job_id = self._ids.new(now)
            values = job_values(
                order, job_id=job_id, cost=cost, charged=bill.charged, start_tag=bill.start_tag, now=now
            )
            await connection.execute(insert(jobs).values(values))
        return job_id, False

    async def set_ticket(self, job_id: str, ticket_id: int) -> None:
        """Remember the message that shows this job's progress."""
        async with self._database.write() as connection:
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(ticket_id=ticket_id))

    # -- painting ----------------------------------------------------------------------------------------------------

    async def claim(self) -> Job | None:
        """The next job in the fair order, now running; an uploaded picture's bytes are not loaded here."""
        async with self._database.write() as connection:
            waiting = select(jobs).where(jobs.c.state == JobState.ACCEPTED)
            row = (await connection.execute(waiting.order_by(jobs.c.start_tag, jobs.c.id).limit(1))).first()
            if row is None:
                return None
            values = {"state": JobState.RUNNING, "attempt": row.attempt + 1, "claimed_at": self._clock()}
            await connection.execute(update(jobs).where(jobs.c.id == row.id).values(values))
            await set_note(connection, VIRTUAL_TIME, repr(max(row.start_tag, await _virtual_time(connection))))
        return Job(id=row.id, request=Request.from_json(row.request), attempt=row.attempt + 1)

    async def release(self, job: Job) -> None:
        """Back to the place in the line where it was."""
        async with self._database.write() as connection:
            values = {"state": JobState.ACCEPTED, "claimed_at": None}
            await connection.execute(update(jobs).where(_claimed(job)).values(values))

    async def rendered(self, job: Job, result: Result, *, withheld: str | None = None) -> bool:
        """Keep what was painted; False when this claim of the job is no longer the valid one.

        With a sentence in `withheld` none of it may be shown, and the job ends with that sentence.
        """
        values: dict[str, Any] = {"state": JobState.RENDERED, "recipe": dict(result.recipe), "seconds": result.seconds}
        if withheld is not None:
            values |= {"state": JobState.BLOCKED, "reason": withheld, "ended_at": self._clock()}
        async with self._database.write() as connection:
            changed = await connection.execute(update(jobs).where(_claimed(job)).values(values))
            if not changed.rowcount:
                return False
            await keep_pictures(connection, result)
        return True

    async def end(
        self,
        job_id: str,
        state: JobState,
        reason: str = "",
        *,
        only_from: tuple[JobState, ...],
        give_back: bool = False,
    ) -> bool:
        """End a job with a sentence; False when it was in none of the states `only_from` any more."""
        assert state in ENDED, state
        async with self._database.write() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).first()
            if row is None or JobState(row.state) not in only_from:
                return False
            values = {"state": state, "reason": reason, "ended_at": self._clock()}
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
            if give_back:
                await accounts.give_back(connection, row)
        return True

    async def posted(self, job_id: str) -> None:
        """The result has been shown."""
        await self.end(job_id, JobState.POSTED, only_from=(JobState.RENDERED,))

    async def recover(self) -> int:
        """At start: what a former process was painting goes back to the line; returns how many jobs did."""
        async with self._database.write() as connection:
            running = update(jobs).where(jobs.c.state == JobState.RUNNING)
            changed = await connection.execute(running.values(state=JobState.ACCEPTED, claimed_at=None))
        return int(changed.rowcount)

    # -- looking -----------------------------------------------------------------------------------------------------

    async def get(self, job_id: str) -> Commission | None:
        """The stored job, or None."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).first()
        return commission_of(row) if row is not None else None

    async def in_state(
        self,
        *states: JobState,
        guild_id: int | None = None,
        author_id: int | None = None,
        limit: int | None = None,
    ) -> list[Commission]:
        """Jobs in `states` in the fair order, of one guild or author when given."""
        query = select(jobs).where(jobs.c.state.in_(states)).order_by(jobs.c.start_tag, jobs.c.id).limit(limit)
        if guild_id is not None:
            query = query.where(jobs.c.guild_id == guild_id)
        if author_id is not None:
            query = query.where(jobs.c.author_id == author_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [commission_of(row) for row in rows]

    async def ahead(self, job_id: str) -> tuple[int, float, int]:
        """How many waiting or running jobs come before this one, their megapixel-steps and their pictures."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).first()
            if row is None or row.state != JobState.ACCEPTED:
                return 0, 0.0, 0
            earlier = or_(
                jobs.c.state == JobState.RUNNING,
                and_(jobs.c.state == JobState.ACCEPTED, jobs.c.start_tag < row.start_tag),
                and_(jobs.c.state == JobState.ACCEPTED, jobs.c.start_tag == row.start_tag, jobs.c.id < row.id),
            )
            sums = select(func.count(), func.sum(jobs.c.work), func.sum(jobs.c.pictures)).where(earlier)
            count, work, pictures = (await connection.execute(sums)).one()
        return int(count), float(work or 0.0), int(pictures or 0)

    async def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state))
            return {state: int(count) for state, count in rows}

    async def quota(self, guild_id: int | None, member_id: int, allowance: Allowance) -> Quota:
        """What the member may still spend."""
        now = self._clock()
        async with self._database.read() as connection:
            row = await accounts.account(connection, guild_id, member_id)
            own = await _count(connection, and_(jobs.c.author_id == member_id, jobs.c.state.in_(LIVE)))
        left, full_at = accounts.credits_left(row, now, allowance)
        return Quota(
            available=left,
            burst=allowance.burst,
            per_hour=allowance.per_hour,
            spent_today=accounts.spent_today(row, now),
            daily=allowance.daily,
            waiting=own,
            waiting_limit=allowance.waiting,
            full_at=full_at,
        )


def _claimed(job: Job) -> Any:
    """This very claim of the job: a claim that was overtaken must not write any more."""
    return and_(jobs.c.id == job.id, jobs.c.state == JobState.RUNNING, jobs.c.attempt == job.attempt)


async def _same_press(connection: AsyncConnection, order: Order) -> str | None:
    same = jobs.c.interaction_id == order.address.interaction_id
    press = press_of(order)
    if press is not None:
        same = or_(same, and_(jobs.c.press == press, jobs.c.state.in_(LIVE)))
    row: Row[Any] | None = (await connection.execute(select(jobs.c.id).where(same).limit(1))).first()
    return str(row.id) if row is not None else None


async def _check_room(connection: AsyncConnection, order: Order, allowance: Allowance, line_limit: int) -> None:
    if await _count(connection, jobs.c.state == JobState.ACCEPTED) >= line_limit:
        raise LineFull(f"The line is full ({line_limit:,} waiting); please try again in a few minutes.")
    own = await _count(connection, and_(jobs.c.author_id == order.member.id, jobs.c.state.in_(LIVE)))
    if own >= allowance.waiting:
        jobs_word = "request" if own == 1 else "requests"
        raise LineFull(f"You already have {own} {jobs_word} in the line, the most at once; wait for one or /cancel it.")


async def _count(connection: AsyncConnection, condition: Any) -> int:
    return int((await connection.execute(select(func.count()).select_from(jobs).where(condition))).scalar_one())


async def _virtual_time(connection: AsyncConnection) -> float:
    return float(await note(connection, VIRTUAL_TIME) or 0.0)
