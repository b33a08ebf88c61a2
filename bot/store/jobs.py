"""Jobs from admission to their end; every method is one committed transaction."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.order import Commission, Order, Quota
from bot.store import accounts, lanes, places
from bot.store.accounts import HOUSE, Purses
from bot.store.admission import LIVE as LIVE  # the two states of a job that is not painted yet
from bot.store.admission import Admissions, Admitted
from bot.store.bulletin import News, tell
from bot.store.database import Database
from bot.store.fingerprints import keep_fingerprints
from bot.store.pictures import keep_pictures
from bot.store.rows import commission_of, request_of
from bot.store.schema import WAITING, jobs
from bot.store.takeover import Taken, give_back_share, take_over
from generation.job import ENDED, Job, JobState, Result
from generation.limits import Allowance, Budget

NO_PURSES = Purses()
PAGE = 100  # jobs that are read at once where there may be thousands: the event loop must not wait for all
USE_GRAIN = 86_400.0  # seconds between two notes that a picture is in use
LOOKS = 40  # at the line before a claim leaves it to the next poll: others hold what is next for milliseconds only
OUTCOMES = tuple(sorted(ENDED - {JobState.POSTED} | {JobState.RENDERED}))  # what somebody is still to be shown
_CLAIM = update(jobs).where(jobs.c.id == bindparam("job_id"))


class JobStore:
    """The jobs table; members are charged in the same breath."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._admissions = Admissions(database, clock)

    # -- admission ---------------------------------------------------------------------------------------------------

    async def admit(
        self, order: Order, cost: float, allowance: Allowance, line_limit: int, purses: Purses = NO_PURSES
    ) -> Admitted:
        """Admit `order`, charging `cost` credits.

        Raises LineFull or OutOfCredits; then nothing was charged. When this returns, the job is durable.
        """
        return await self._admissions.admit(order, cost, allowance, line_limit, purses)

    async def enqueue(
        self, order: Order, cost: float, allowance: Allowance, line_limit: int, purses: Purses = NO_PURSES
    ) -> tuple[str, bool]:
        """As `admit`, for whoever needs no more than the job's id and whether it already existed."""
        admitted = await self.admit(order, cost, allowance, line_limit, purses)
        return admitted.commission.id, admitted.repeated

    # -- painting ----------------------------------------------------------------------------------------------------

    async def claim(self, resting: Collection[int] = ()) -> Job | None:
        """The next job in the fair order, now running; of `resting` servers none.

        An uploaded picture's bytes are not loaded here. Raises UnreadableRequest when it is running but cannot be
        painted by this version.
        """
        for _ in range(LOOKS):
            try:
                row = await self._database.beside(lambda connection: self._claim(connection, resting))
            except lanes.Contended:  # what is next is being claimed or changed by another process at this moment
                await asyncio.sleep(random.uniform(0.001, 0.005))  # noqa: S311 - jitter, no secret
                continue
            if row is None:
                return None
            return Job(id=row.id, request=request_of(row), attempt=row.attempt + 1, crashes=row.crashes)
        return None

    def _claim(self, connection: Connection, resting: Collection[int]) -> Row[Any] | None:
        row = lanes.take_next(connection, resting)
        if row is not None:
            values = {"state": JobState.RUNNING, "attempt": row.attempt + 1, "claimed_at": self._clock()}
            connection.execute(_CLAIM, {"job_id": row.id, "holder": self._database.process} | values)
            tell(connection, News.CLAIMED)
        return row

    async def release(self, job: Job, *, crashed: bool = False) -> None:
        """Back to the place in the line where it was; `crashed`: a painting process went down with it."""
        await self.let_go(job.id, job.attempt, crashed=crashed)

    async def let_go(self, job_id: str, attempt: int, *, crashed: bool = False) -> None:
        """As `release`, for a claim of which no more is known."""
        claim = self._claim_of(job_id, attempt)
        async with self._database.write() as connection:
            row = (await connection.execute(select(jobs).where(claim))).first()
            if row is None:
                return
            values = {"state": JobState.ACCEPTED, "claimed_at": None, "crashes": row.crashes + crashed}
            await connection.execute(update(jobs).where(claim).values(values))
            await connection.run_sync(lanes.put_back, row)
            await connection.run_sync(tell, News.LINE)

    async def rendered(self, job: Job, result: Result, *, withheld: str | None = None) -> bool:
        """Keep what was painted and give back what broke; False when this claim is no longer the valid one.

        With a sentence in `withheld` none of it may be shown, and the job ends with that sentence.
        """
        values: dict[str, Any] = {"state": JobState.RENDERED, "recipe": dict(result.recipe), "seconds": result.seconds}
        if withheld is not None:
            values |= {"state": JobState.BLOCKED, "reason": withheld, "ended_at": self._clock()}
        broken = sum(picture.broken for picture in result.pictures) / max(1, len(result.pictures))
        async with self._database.write() as connection:
            changed = await connection.execute(update(jobs).where(self._claim_of(job.id, job.attempt)).values(values))
            if not changed.rowcount:
                return False
            if broken:
                await _give_back(connection, job.id, broken)
            await keep_pictures(connection, result)
            await keep_fingerprints(connection, result, self._clock())
        return True

    async def end(
        self,
        job_id: str,
        state: JobState,
        reason: str = "",
        *,
        only_from: tuple[JobState, ...],
        give_back: float = 0.0,
        claim: Job | None = None,
    ) -> bool:
        """End a job with a sentence, giving back a share (0 to 1) of what it was charged; this process will tell it.

        False when it was in none of the states `only_from` any more, or when `claim` is not its valid claim any more;
        then nothing is given back.
        """
        assert state in ENDED, state
        here = jobs.c.id == job_id if claim is None else self._claim_of(claim.id, claim.attempt)
        async with self._database.write() as connection:
            row = (await connection.execute(select(jobs).where(here).with_for_update())).first()
            if row is None or JobState(row.state) not in only_from:
                return False
            holder = None if state is JobState.POSTED else self._database.process
            values = {"state": state, "reason": reason, "ended_at": self._clock(), "holder": holder}
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
            if give_back:
                await _give_back(connection, job_id, give_back)
        return True

    async def used(self, job_id: str) -> None:
        """Somebody uses the picture: its words stay a while longer. Written once a day at most."""
        now = self._clock()
        last = func.coalesce(jobs.c.used_at, jobs.c.ended_at)
        async with self._database.write() as connection:
            here = and_(jobs.c.id == job_id, last < now - USE_GRAIN, jobs.c.erased_at.is_(None))
            await connection.execute(update(jobs).where(here).values(used_at=now))

    async def posted(self, job_id: str) -> None:
        """The result has been shown."""
        await self.end(job_id, JobState.POSTED, only_from=(JobState.RENDERED,))

    async def ask_to_stop(self, job_id: str) -> bool:
        """Ask the process that paints a job to stop it; False when no other process does."""
        elsewhere = and_(jobs.c.state == JobState.RUNNING, jobs.c.holder != self._database.process)
        asked = update(jobs).where(jobs.c.id == job_id, elsewhere).values(cancel_asked_at=self._clock())
        async with self._database.write() as connection:
            await connection.run_sync(tell, News.STOP)
            return bool((await connection.execute(asked)).rowcount)

    async def recover(self) -> int:
        """Take over from processes that live no more; returns how many jobs wait in the line again."""
        return (await self.take_over()).returned

    async def take_over(self) -> Taken:
        """As `recover`; the outcomes that this process is to show from now on are among `unshown`."""
        now = self._clock()
        return await self._database.transact(lambda each: take_over(each, self._database.process, now))

    def _claim_of(self, job_id: str, attempt: int) -> Any:
        """This very claim of the job: a claim that was overtaken must not write any more."""
        running = and_(jobs.c.state == JobState.RUNNING, jobs.c.holder == self._database.process)
        return and_(jobs.c.id == job_id, jobs.c.attempt == attempt, running)

    # -- looking -----------------------------------------------------------------------------------------------------

    async def get(self, job_id: str) -> Commission | None:
        """The stored job, or None."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).first()
        return commission_of(row) if row is not None else None

    async def unshown(self) -> list[Commission]:
        """Jobs with an outcome that this process is to show, oldest first, read a few at a time."""
        found: list[Commission] = []
        while True:
            owed = and_(jobs.c.holder == self._database.process, jobs.c.state.in_(OUTCOMES))
            query = select(jobs).where(owed, jobs.c.id > (found[-1].id if found else ""))
            async with self._database.read() as connection:
                rows = (await connection.execute(query.order_by(jobs.c.id).limit(PAGE))).all()
            found += [commission_of(row) for row in rows]
            if len(rows) < PAGE:
                return found

    async def claims(self) -> list[tuple[str, int]]:
        """Job and attempt of everything that this process is painting."""
        running = and_(jobs.c.state == JobState.RUNNING, jobs.c.holder == self._database.process)
        async with self._database.read() as connection:
            rows = await connection.execute(select(jobs.c.id, jobs.c.attempt).where(running))
            return [(row.id, row.attempt) for row in rows]

    async def to_be_stopped(self) -> list[str]:
        """Jobs that this process paints and that somebody asked another one to stop."""
        asked = and_(jobs.c.state == JobState.RUNNING, jobs.c.cancel_asked_at.is_not(None))
        query = select(jobs.c.id).where(jobs.c.holder == self._database.process, asked)
        async with self._database.read() as connection:
            return [row.id for row in await connection.execute(query)]

    def is_ours(self, commission: Commission) -> bool:
        """Whether this process follows a job, paints it or shows its outcome."""
        return commission.holder == self._database.process

    async def in_state(
        self,
        *states: JobState,
        guild_id: int | None = None,
        author_id: int | None = None,
        limit: int | None = None,
    ) -> list[Commission]:
        """Jobs in `states`, oldest first, of one guild or author when given."""
        query = select(jobs).where(jobs.c.state.in_(states)).order_by(jobs.c.id).limit(limit)
        if guild_id is not None:
            query = query.where(jobs.c.guild_id == guild_id)
        if author_id is not None:
            query = query.where(jobs.c.author_id == author_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [commission_of(row) for row in rows]

    async def live_since(self, moment: float) -> AsyncIterator[Commission]:
        """Jobs that wait or are painted and were accepted after `moment`, newest first, read a few at a time."""
        newest = "~"  # after every id
        while True:
            query = select(jobs).where(jobs.c.state.in_(LIVE), jobs.c.id < newest, jobs.c.accepted_at > moment)
            async with self._database.read() as connection:
                rows = (await connection.execute(query.order_by(jobs.c.id.desc()).limit(PAGE))).all()
            for row in rows:
                yield commission_of(row)
            if len(rows) < PAGE:
                return
            newest = rows[-1].id

    async def ahead(self, job_id: str, resting: Collection[int] = ()) -> tuple[int, float, int]:
        """How many waiting or running jobs come before this one, their megapixel-steps and their pictures.

        Of other servers that are `resting` nothing does.
        """
        async with self._database.read() as connection:
            row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).first()
            if row is None or row.state != JobState.ACCEPTED:
                return 0, 0.0, 0
            ahead = await connection.run_sync(places.ahead_of, row, resting)
        return ahead.jobs, ahead.work, ahead.pictures

    async def line(self, guild_id: int | None, resting: Collection[int] = ()) -> list[tuple[Commission, int]]:
        """A guild's running jobs, then its waiting ones in the fair order, each with how many come before it."""
        async with self._database.read() as connection:
            painting = select(jobs).where(jobs.c.state == JobState.RUNNING).order_by(jobs.c.claimed_at, jobs.c.id)
            running = (await connection.execute(painting)).all()
            own = (
                select(jobs)
                .where(WAITING, jobs.c.lane == lanes.lane_of(guild_id))
                .order_by(jobs.c.start_tag, jobs.c.id)
            )
            waiting = (await connection.execute(own)).all()
            place_of = await connection.run_sync(places.places_in, guild_id, resting)
        found = [(commission_of(row), place) for place, row in enumerate(running) if row.guild_id == guild_id]
        found += [(commission_of(row), len(running) + place_of.get(row.id, 0)) for row in waiting]
        return found

    async def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state))
            return {state: int(count) for state, count in rows}

    async def quota(
        self, guild_id: int | None, member_id: int, allowance: Allowance, purses: Purses = NO_PURSES
    ) -> Quota:
        """What the member may still spend."""
        now = self._clock()
        async with self._database.read() as connection:
            rows = await connection.run_sync(accounts.accounts_of, member_id)
            live = select(func.count()).select_from(jobs).where(jobs.c.author_id == member_id, jobs.c.state.in_(LIVE))
            own = int((await connection.execute(live)).scalar_one())
            guild = await _left(connection, guild_id, purses.guild, now) if guild_id is not None else None
            house = await _left(connection, HOUSE, purses.house, now)
        left, full_at = accounts.credits_left(accounts.account_in(rows, guild_id), now, allowance)
        return Quota(
            available=left,
            burst=allowance.burst,
            per_hour=allowance.per_hour,
            spent_today=accounts.spent_everywhere(rows, now),
            daily=allowance.daily,
            waiting=own,
            waiting_limit=allowance.waiting,
            full_at=full_at,
            guild_left=guild,
            house_left=house,
        )


async def _give_back(connection: AsyncConnection, job_id: str, share: float) -> None:
    row = (await connection.execute(select(jobs).where(jobs.c.id == job_id))).one()
    await connection.run_sync(give_back_share, row, share)


async def _left(connection: AsyncConnection, key: int, budget: Budget | None, now: float) -> float | None:
    if budget is None:
        return None
    row = await connection.run_sync(accounts.purse_of, key)
    return min(accounts.credits_left(row, now, budget)[0], max(0.0, budget.daily - accounts.spent_today(row, now)))
