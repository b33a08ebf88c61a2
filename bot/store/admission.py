"""Admission: checked, charged, placed and durable in one transaction, which all who ask at the same time share.

A commit that survives a power cut takes milliseconds on a file; whoever asks while one is under way goes into the next
one together. A refusal writes nothing, so it touches nobody else in the same transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, exists, func, insert, select

from bot.order import Commission, Order
from bot.store import accounts
from bot.store.accounts import Others, Purses
from bot.store.bulletin import News, tell
from bot.store.database import Database
from bot.store.lanes import lane_of, open_lane, weigh_lane
from bot.store.rows import JobIds, commission_of, job_values, new_commission, press_of
from bot.store.schema import UNPAINTED, WAITING, jobs, lanes
from generation.errors import LineFull, Refusal
from generation.job import JobState
from generation.limits import Allowance
from generation.queue import present, tags

LIVE = (JobState.ACCEPTED, JobState.RUNNING)
TOGETHER = 32  # admissions in one transaction at most: the first of them waits for the last


@dataclass(frozen=True, slots=True)
class Admitted:
    """The stored job, and whether it was there already: the same press twice is one job."""

    commission: Commission
    repeated: bool


@dataclass(slots=True, kw_only=True)
class Wish:
    """An order with the terms on which it may be admitted, and whoever waits for the answer."""

    order: Order
    cost: float  # credits
    allowance: Allowance
    line_limit: int
    purses: Purses
    answer: asyncio.Future[Admitted]
    job_id: str = ""  # kept for the next try: a commit of which nothing was heard is recognised by it

    def settle(self, outcome: Admitted | Exception) -> None:
        """Tell the outcome to whoever still waits for it."""
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Admissions:
    """The way into the jobs table."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._ids: JobIds | None = None  # until the newest one there is was looked up
        self._waiting: list[Wish] = []
        self._work: asyncio.Task[None] | None = None

    async def admit(self, order: Order, cost: float, allowance: Allowance, line_limit: int, purses: Purses) -> Admitted:
        """Admit `order`; durable when this returns. Raises a Refusal with nothing charged."""
        answer = asyncio.get_running_loop().create_future()
        wish = Wish(
            order=order,
            cost=cost,
            allowance=allowance,
            line_limit=line_limit,
            purses=purses,
            answer=answer,
        )
        self._waiting.append(wish)
        if self._work is None or self._work.done():
            # A task of its own: whoever stops waiting must not take the transaction of the others along.
            self._work = asyncio.create_task(self._admit_all(), name="admission")
        return await wish.answer

    async def _admit_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            if await self._committed(group):
                continue
            for wish in group:  # one of them broke the transaction: the others must not suffer from it
                await self._committed([wish])

    async def _committed(self, group: list[Wish]) -> bool:
        """Admit a group in one transaction; False when it failed and each of several has to be tried by itself."""
        try:
            outcomes = await self._database.transact(lambda connection: self._outcomes(connection, group))
        except Exception as error:
            if len(group) == 1:
                group[0].settle(error)
            return len(group) == 1
        for wish, outcome in zip(group, outcomes, strict=True):
            wish.settle(outcome)
        return True

    def _outcomes(self, connection: Connection, group: list[Wish]) -> list[Admitted | Refusal]:
        found: list[Admitted | Refusal] = []
        for wish in group:
            try:
                found.append(self._admit(connection, wish))
            except Refusal as refusal:
                found.append(refusal)
        if any(isinstance(outcome, Admitted) for outcome in found):
            tell(connection, News.LINE)
        return found

    def _admit(self, connection: Connection, wish: Wish) -> Admitted:
        """Everything is looked at before anything is written: a Refusal leaves no trace."""
        order, member, now = wish.order, wish.order.member, self._clock()
        existing = _same_press(connection, order)
        if existing is not None:
            return Admitted(commission_of(existing), repeated=existing.id != wish.job_id)
        line = _line_for(connection, order)
        _check_room(line, wish)
        bill = accounts.assess(
            connection,
            guild_id=member.guild_id,
            member_id=member.id,
            cost=wish.cost,
            allowance=wish.allowance,
            purses=wish.purses,
            others=Others(members=line.others, guilds=line.other_guilds),
            now=now,
        )
        newcomers_start = present(line.virtual_time or 0.0, line.oldest_start, now - (line.oldest_accepted or now))
        place = tags(newcomers_start, bill.last_finish, wish.cost, wish.allowance.weight)
        if line.virtual_time is None:
            open_lane(connection, member.guild_id, wish.purses.weight)
        elif line.weight != wish.purses.weight:
            weigh_lane(connection, member.guild_id, wish.purses.weight)
        accounts.book(connection, bill, place.finish)
        wish.job_id = wish.job_id or self._new_id(connection, now)
        values = job_values(order, job_id=wish.job_id, cost=wish.cost, start_tag=place.start, now=now, **bill.charged)
        values["holder"] = self._database.process  # its ticket is followed here until somebody paints it
        connection.execute(_INSERT, values)
        return Admitted(new_commission(values), repeated=False)

    def _new_id(self, connection: Connection, now: float) -> str:
        if self._ids is None:  # a clock that was set back must not put what is asked now before what waits
            self._ids = JobIds()
            self._ids.after(connection.execute(_NEWEST).scalar_one() or "0")
        return self._ids.new(now)


# Statements are put together once: at a few hundred admissions a second that would take longer than running them.
_OWN_LANE = jobs.c.lane == bindparam("lane", type_=BigInteger)
_OLDEST = select(jobs.c.start_tag).where(WAITING, _OWN_LANE).order_by(jobs.c.id).limit(1)
_SAME_INTERACTION = select(jobs).where(jobs.c.interaction_id == bindparam("interaction_id"))
_SAME_PRESS = select(jobs).where(jobs.c.press == bindparam("press"), UNPAINTED).limit(1)
_INSERT = insert(jobs)
_NEWEST = select(func.max(jobs.c.id))
_LANE = select(lanes.c.virtual_time).where(lanes.c.guild_id == bindparam("lane", type_=BigInteger))
_LINE = select(
    select(func.count()).select_from(jobs).where(WAITING).scalar_subquery().label("waiting"),
    select(func.count())
    .select_from(jobs)
    .where(jobs.c.author_id == bindparam("member_id"), UNPAINTED)
    .scalar_subquery()
    .label("own"),
    exists().where(WAITING, jobs.c.author_id != bindparam("member_id")).label("others"),
    exists().where(WAITING, jobs.c.lane != bindparam("lane")).label("other_guilds"),
    _OLDEST.scalar_subquery().label("oldest_start"),
    _OLDEST.with_only_columns(jobs.c.accepted_at).scalar_subquery().label("oldest_accepted"),
    _LANE.scalar_subquery().label("virtual_time"),
    _LANE.with_only_columns(lanes.c.weight).scalar_subquery().label("weight"),
)


def _same_press(connection: Connection, order: Order) -> Row[Any] | None:
    interaction = {"interaction_id": order.address.interaction_id}
    row: Row[Any] | None = connection.execute(_SAME_INTERACTION, interaction).first()
    press = press_of(order)
    if row is None and press is not None:
        row = connection.execute(_SAME_PRESS, {"press": press}).first()
    return row


def _line_for(connection: Connection, order: Order) -> Row[Any]:
    """What the line looks like to the person who asks, in one look."""
    asking = {"member_id": order.member.id, "lane": lane_of(order.member.guild_id)}
    return connection.execute(_LINE, asking).one()


def _check_room(line: Row[Any], wish: Wish) -> None:
    if line.waiting >= wish.line_limit:
        raise LineFull(f"The line is full ({wish.line_limit:,} waiting); please try again in a few minutes.")
    own = line.own
    if own >= wish.allowance.waiting:
        jobs_word = "request" if own == 1 else "requests"
        raise LineFull(f"You already have {own} {jobs_word} in the line, the most at once; wait for one or /cancel it.")
