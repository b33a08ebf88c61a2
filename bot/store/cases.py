"""Cases from opening to their end; whatever a step entails is committed with it: log, warnings, errands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, and_, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.review.case import STRIKING, WHOLE, Case, Kind, Ruling, Task, tasks_after
from bot.review.rules import ReviewRules
from bot.store.audit import THE_BOT, Act, Entry, record
from bot.store.database import Database
from bot.store.errands import give_errands
from bot.store.pseudonyms import Pseudonyms
from bot.store.schema import cases, jobs, pictures, strikes
from bot.store.strikes import StrikeStore, clear_strikes, give_strike
from generation.errors import BadRequest, NotAllowed
from generation.safety.level import Level

NO_CASE = "This case is not known here any more."
NOT_YOURS = "You made the decision that is appealed, so another moderator or the server's owner has to decide now."
OWN_PICTURE = "Somebody else has to decide about your own picture."
APPEALED = "You have appealed already; the moderators will look at it again."
FINAL = "This decision cannot be appealed any more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a moderator says about a case."""

    ruling: Ruling
    by: int
    reason: str = ""
    hours: float | None = None  # of a time-out


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which decided cases are wanted; None: whatever it is."""

    kind: Kind | None = None
    ruling: Ruling | None = None
    author_id: int | None = None
    ruled_by: int | None = None


class CaseStore:
    """The cases table."""

    def __init__(
        self,
        database: Database,
        strike_store: StrikeStore,
        pseudonyms: Pseudonyms,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._strikes = strike_store
        self._pseudonyms = pseudonyms
        self._clock = clock

    # -- opening -----------------------------------------------------------------------------------------------------

    async def open_held(self, job_id: str | None = None) -> list[int]:
        """Open a case for every held picture (of one job, or of all) that has none; returns their ids."""
        has_case = exists().where(cases.c.job_id == pictures.c.job_id, cases.c.place == pictures.c.place)
        query = (
            select(pictures.c.job_id, pictures.c.place, pictures.c.level, jobs.c.guild_id, jobs.c.channel_id)
            .add_columns(jobs.c.author_id)
            .join(jobs, jobs.c.id == pictures.c.job_id)
            .where(pictures.c.held.is_not(None), pictures.c.place >= 0, ~has_case)
            .order_by(pictures.c.job_id, pictures.c.place)
        )
        if job_id is not None:
            query = query.where(pictures.c.job_id == job_id)
        async with self._database.read() as connection:
            if (await connection.execute(query.limit(1))).first() is None:
                return []  # nearly always: most jobs have nothing held, and a writer would keep the others waiting
        async with self._database.write() as connection:
            rows = (await connection.execute(query)).all()
            return [await self._open(connection, _kind_of(row.level), row, row.place) for row in rows]

    async def case_of_reports(self, connection: AsyncConnection, job_id: str) -> Case:
        """The open case of what members reported of a job, opened now unless there is one; in a transaction."""
        here = and_(cases.c.job_id == job_id, cases.c.place == WHOLE, cases.c.ruling.is_(None))
        row = (await connection.execute(select(cases).where(here))).first()
        if row is None:
            job = (await connection.execute(select(jobs, jobs.c.id.label("job_id")).where(jobs.c.id == job_id))).one()
            case_id = await self._open(connection, Kind.REPORTED, job, WHOLE)
            row = (await connection.execute(select(cases).where(cases.c.id == case_id))).one()
        return case_of(row)

    async def _open(self, connection: AsyncConnection, kind: Kind, about: Row[Any], place: int) -> int:
        now = self._clock()
        values = {
            "kind": kind,
            "job_id": about.job_id,
            "place": place,
            "guild_id": about.guild_id,
            "channel_id": about.channel_id,
            "author_id": about.author_id,
            "opened_at": now,
            "round": 1,
            "hidden": False,
            "reports": 0,
            "reason": "",
            "appeal": "",
        }
        made = await connection.execute(insert(cases).values(values))
        assert made.inserted_primary_key is not None, "a row was inserted"
        case_id = int(made.inserted_primary_key[0])
        opened = Entry(
            guild_id=about.guild_id, actor_id=THE_BOT, action=Act.OPENED, member_id=about.author_id, case_id=case_id,
            reason=kind,
        )  # fmt: skip
        await record(connection, opened, now)
        await give_errands(connection, case_id, [Task.QUEUE])
        return case_id

    # -- deciding ----------------------------------------------------------------------------------------------------

    async def rule(self, case_id: int, decision: Decision, rules: ReviewRules) -> tuple[Case, bool]:
        """Decide an open case with all that follows; returns the case as it stands, and whether this decided it.

        The first moderator wins. Raises BadRequest for an unknown case, NotAllowed for the one whose picture it is or
        whose ruling is appealed.
        """
        now = self._clock()
        names = await asyncio.to_thread(self._pseudonyms.names_of, decision.by)
        async with self._database.write() as connection:
            case = await self._get(connection, case_id)
            if not case.open or decision.ruling not in case.choices:
                return case, False
            if case.author_id in names:
                raise NotAllowed(OWN_PICTURE)
            if case.contested_by in names:
                raise NotAllowed(NOT_YOURS)
            values = {
                "ruling": decision.ruling,
                "ruled_by": decision.by,
                "ruled_at": now,
                "reason": decision.reason,
                "hours": case.hours if decision.ruling is Ruling.OVERTURN else decision.hours,  # what is taken back
            }
            await connection.execute(update(cases).where(cases.c.id == case_id).values(values))
            entry = _entry(case, decision.by, decision.ruling, decision.reason)
            await record(connection, entry, now)
            if decision.ruling in STRIKING:
                await give_strike(connection, entry, rules, now, log=False)
            elif decision.ruling is Ruling.OVERTURN:
                await clear_strikes(connection, strikes.c.case_id == case_id, now)
            await give_errands(connection, case_id, tasks_after(case, decision.ruling))
            case = await self._get(connection, case_id)
        self._strikes.changed()
        return case, True

    async def appeal(self, case_id: int, member_id: int, words: str) -> Case:
        """Open a case again at its member's wish, once; raises NotAllowed or BadRequest."""
        now = self._clock()
        async with self._database.write() as connection:
            case = await self._get(connection, case_id)
            if case.author_id != member_id:
                raise NotAllowed("Only the person whose picture this is about can appeal.")
            if not case.appealable(now):
                raise BadRequest(APPEALED if case.round > 1 else FINAL)
            values = {
                "round": 2,
                "appeal": words,
                "contested": case.ruling,
                "contested_by": case.ruled_by,
                "ruling": None,
                "ruled_by": None,
                "ruled_at": None,
                "queue_channel_id": None,
                "queue_message_id": None,
            }
            await connection.execute(update(cases).where(cases.c.id == case_id).values(values))
            await record(connection, _entry(case, member_id, Act.APPEALED, ""), now)  # the words are in the case alone
            await give_errands(connection, case_id, [Task.QUEUE])
            return await self._get(connection, case_id)

    # -- the queue ---------------------------------------------------------------------------------------------------

    async def queued(self, case_id: int, channel_id: int, message_id: int) -> None:
        """Remember the message that shows a case to moderators."""
        values = {"queue_channel_id": channel_id, "queue_message_id": message_id}
        async with self._database.write() as connection:
            await connection.execute(update(cases).where(cases.c.id == case_id).values(values))

    async def requeue(self, guild_id: int | None) -> list[int]:
        """Have every open case of a guild shown that has no message yet; returns their ids."""
        unseen = and_(_of(guild_id), cases.c.ruling.is_(None), cases.c.queue_message_id.is_(None))
        async with self._database.write() as connection:
            ids = [row.id for row in await connection.execute(select(cases.c.id).where(unseen).order_by(cases.c.id))]
            for case_id in ids:
                await give_errands(connection, case_id, [Task.QUEUE])
        return ids

    # -- looking -----------------------------------------------------------------------------------------------------

    async def get(self, case_id: int) -> Case:
        """The case; raises BadRequest when there is none."""
        async with self._database.read() as connection:
            return await self._get(connection, case_id)

    async def open_in(self, guild_id: int | None, limit: int) -> list[Case]:
        """Open cases of a guild, oldest first."""
        query = select(cases).where(_of(guild_id), cases.c.ruling.is_(None)).order_by(cases.c.id).limit(limit)
        return await self._read(query)

    async def decided_in(self, guild_id: int, which: Filter, limit: int, offset: int = 0) -> list[Case]:
        """Decided cases of a guild, the last decision first."""
        wanted = [cases.c[name] == value for name, value in asdict(which).items() if value is not None]
        query = select(cases).where(_of(guild_id), cases.c.ruling.is_not(None), *wanted)
        return await self._read(query.order_by(cases.c.ruled_at.desc(), cases.c.id.desc()).limit(limit).offset(offset))

    async def waiting(self, guild_id: int) -> int:
        """How many cases of a guild are open."""
        query = select(func.count()).where(_of(guild_id), cases.c.ruling.is_(None))
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def of_job(self, job_id: str) -> list[Case]:
        """Every case of a job, oldest first."""
        return await self._read(select(cases).where(cases.c.job_id == job_id).order_by(cases.c.id))

    async def _read(self, query: Any) -> list[Case]:
        async with self._database.read() as connection:
            return [case_of(row) for row in await connection.execute(query)]

    async def _get(self, connection: AsyncConnection, case_id: int) -> Case:
        row = (await connection.execute(select(cases).where(cases.c.id == case_id))).first()
        if row is None:
            raise BadRequest(NO_CASE)
        return case_of(row)


def case_of(row: Row[Any]) -> Case:
    """A row as the house works with it."""
    queue = (row.queue_channel_id, row.queue_message_id) if row.queue_message_id is not None else None
    return Case(
        id=row.id,
        kind=Kind(row.kind),
        job_id=row.job_id,
        place=row.place,
        guild_id=row.guild_id,
        channel_id=row.channel_id,
        author_id=row.author_id,
        opened_at=row.opened_at,
        round=row.round,
        hidden=row.hidden,
        reports=row.reports,
        queue=queue,
        ruling=Ruling(row.ruling) if row.ruling is not None else None,
        ruled_by=row.ruled_by,
        ruled_at=row.ruled_at,
        reason=row.reason,
        hours=row.hours,
        appeal=row.appeal,
        contested=Ruling(row.contested) if row.contested is not None else None,
        contested_by=row.contested_by,
    )


def _entry(case: Case, actor_id: int, action: str, reason: str) -> Entry:
    return Entry(
        guild_id=case.guild_id,
        actor_id=actor_id,
        action=action,
        member_id=case.author_id,
        case_id=case.id,
        reason=reason,
    )


def _kind_of(level: int) -> Kind:
    """What no checker saw anything in was kept back by a filter rule alone."""
    return Kind.REVIEW if level == Level.NEUTRAL else Kind.WITHHELD


def _of(guild_id: int | None) -> Any:
    return cases.c.guild_id.is_(None) if guild_id is None else cases.c.guild_id == guild_id
