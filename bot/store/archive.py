"""Everything that is kept of one person, found by the register: counted, copied, forgotten."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.ageing import BATCH, delete_jobs
from bot.store.anonymity import about, own_part, take_name_off
from bot.store.database import Database
from bot.store.pseudonyms import Pseudonyms
from bot.store.register import REGISTER, WORDS, Fate, Kept, Kind
from bot.store.schema import carried, cases, farewells, jobs, members, outbox, pictures
from bot.store.undecided import LOOKED_AT, leave_later, leaving
from generation.job import JobState

_HAS_WORDS = jobs.c.erased_at.is_(None)
UNFINISHED = (JobState.ACCEPTED, JobState.RUNNING, JobState.RENDERED)


@dataclass(slots=True)
class Traces:
    """What a forgotten person leaves outside of the tables."""

    requests: int = 0
    undecided: int = 0  # requests that go once moderators have decided about them
    files: set[str] = field(default_factory=set)  # digests of pictures, withheld ones included
    uploads: set[str] = field(default_factory=set)


class Archive:
    """One person's data across all tables."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._carried: set[int] | None = None  # pseudonyms whose allowances wait; almost always empty

    async def counts(self, member_id: int) -> dict[Kind, int]:
        """How many rows there are of each kind."""
        found: dict[Kind, int] = {}
        async with self._database.read() as connection:
            for kept, mine in _about(member_id):
                rows = await connection.execute(select(func.count()).select_from(kept.table).where(mine))
                found[kept.kind] = found.get(kept.kind, 0) + int(rows.scalar_one())
            worded = select(func.count()).select_from(jobs).where(jobs.c.author_id == member_id, _HAS_WORDS)
            found[WORDS] = int((await connection.execute(worded)).scalar_one())
        return found

    async def copy(self, member_id: int) -> dict[str, list[dict[str, Any]]]:
        """Every row about the person by table, those of their jobs included, as plain values without other people."""
        own = select(jobs.c.id).where(jobs.c.author_id == member_id)
        theirs = [(kept, kept.job.in_(own)) for kept in REGISTER if kept.job is not None]
        found: dict[str, list[dict[str, Any]]] = {}
        async with self._database.read() as connection:
            for kept, mine in [*_about(member_id), *theirs]:
                shown = [column for column in kept.table.c if column not in kept.hidden]
                rows = await connection.execute(select(*shown).where(mine))
                found[kept.table.name] = [own_part(kept, dict(row._mapping), member_id) for row in rows]
        return found

    async def pictures_of(self, member_id: int) -> list[tuple[str, int]]:
        """Job and index of every shown picture of the person, the newest first, grids left out."""
        mine = select(pictures.c.job_id, pictures.c.place).join(jobs, jobs.c.id == pictures.c.job_id)
        mine = mine.where(jobs.c.author_id == member_id, pictures.c.sha256.is_not(None), pictures.c.place >= 0)
        async with self._database.read() as connection:
            rows = await connection.execute(mine.order_by(pictures.c.job_id.desc(), pictures.c.place))
            return [(row.job_id, row.place) for row in rows]

    async def unfinished(self, member_id: int) -> list[str]:
        """Ids of the person's jobs that have not ended."""
        mine = select(jobs.c.id).where(jobs.c.author_id == member_id, jobs.c.state.in_(UNFINISHED))
        async with self._database.read() as connection:
            return [row.id for row in await connection.execute(mine)]

    # -- forgetting --------------------------------------------------------------------------------------------------

    async def say_farewell(self, member_id: int) -> int:
        """Remember the messages that show the person's results, so that they can be deleted; returns how many."""
        sent = select(outbox.c.channel_id, outbox.c.message_id).join(jobs, jobs.c.id == outbox.c.job_id)
        mine = and_(jobs.c.author_id == member_id, jobs.c.private.is_(False), outbox.c.message_id > 0)
        async with self._database.write() as connection:
            rows = {(row.channel_id, row.message_id) for row in await connection.execute(sent.where(mine))}
            known = {(row.channel_id, row.message_id) for row in await connection.execute(select(farewells))}
            now = self._clock()
            new = [{"channel_id": one, "message_id": two, "asked_at": now} for one, two in sorted(rows - known)]
            if new:
                await connection.execute(insert(farewells), new)
        return len(rows)

    async def owe_farewell(self, channel_id: int, message_id: int) -> None:
        """Remember one more message that is to be deleted."""
        row = {"channel_id": channel_id, "message_id": message_id, "asked_at": self._clock()}
        here = and_(farewells.c.channel_id == channel_id, farewells.c.message_id == message_id)
        async with self._database.write() as connection:
            if (await connection.execute(select(farewells).where(here))).first() is None:
                await connection.execute(insert(farewells).values(row))

    async def next_farewell(self) -> tuple[int, int] | None:
        """Channel and id of a message that is still to be deleted."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(farewells).order_by(farewells.c.asked_at).limit(1))).first()
        return (row.channel_id, row.message_id) if row is not None else None

    async def farewell_said(self, channel_id: int, message_id: int) -> None:
        """That message is gone, or out of reach."""
        here = and_(farewells.c.channel_id == channel_id, farewells.c.message_id == message_id)
        async with self._database.write() as connection:
            await connection.execute(delete(farewells).where(here))

    async def tidy(self) -> None:
        """Let nothing of what was deleted stay behind in the database's files."""
        await self._database.tidy()

    async def forget(self, member_id: int) -> Traces:
        """Delete what is about the person, or take their name off it, as the register says; jobs must have ended.

        What moderators are looking at goes when they have decided, see bot.store.undecided.
        """
        traces, now = Traces(), self._clock()
        pseudonym = await asyncio.to_thread(self._pseudonyms.of, member_id)  # its key may still have to be made
        while await self._forget_jobs(member_id, traces, now):
            pass
        async with self._database.write() as connection:
            rest = and_(jobs.c.author_id == member_id, jobs.c.accepted_at <= now)
            traces.undecided = await leave_later(connection, rest, now)
        for kept, mine in _about(member_id):
            if kept.table is jobs:
                continue
            if kept.table is cases:
                mine = and_(mine, ~leaving(member_id))
            async with self._database.write() as connection:
                if kept.on_request is Fate.CARRY:
                    await self._carry(connection, kept, mine, pseudonym)
                if kept.on_request in (Fate.CARRY, Fate.ERASE):
                    await connection.execute(delete(kept.table).where(mine))
                elif kept.on_request is Fate.PSEUDONYM:
                    await take_name_off(connection, kept, mine, member_id, pseudonym)
        return traces

    async def _forget_jobs(self, member_id: int, traces: Traces, asked_at: float) -> bool:
        """One batch; False when none was left."""
        async with self._database.write() as connection:
            # What they ask for in the meantime is theirs again.
            mine = and_(jobs.c.author_id == member_id, jobs.c.accepted_at <= asked_at, ~LOOKED_AT)
            rows = (await connection.execute(select(jobs.c.id, jobs.c.request).where(mine).limit(BATCH))).all()
            ids = [row.id for row in rows]
            traces.requests += len(ids)
            traces.uploads |= {row.request["image"] for row in rows if row.request.get("image")}
            for row in await connection.execute(select(pictures).where(pictures.c.job_id.in_(ids))):
                told = [row.held, row.evidence]
                traces.files |= {file["sha256"] for file in told if file} | ({row.sha256} if row.sha256 else set())
            await delete_jobs(connection, ids)
        return bool(ids)

    # -- allowances --------------------------------------------------------------------------------------------------

    async def _carry(self, connection: AsyncConnection, kept: Kept, mine: ColumnElement[bool], pseudonym: int) -> None:
        now = self._clock()
        names = {column.name for column in kept.about}
        for row in (await connection.execute(select(kept.table).where(mine))).all():
            rest = {key: value for key, value in row._mapping.items() if key not in names}
            values = {"pseudonym": pseudonym, "kind": kept.table.name, "row": rest, "carried_at": now}
            await connection.execute(insert(carried).values(values))
            (await self._waiting(connection)).add(pseudonym)

    async def take_up(self, member_id: int) -> None:
        """Give a forgotten person who asks again their spent allowance back: being forgotten refills nothing."""
        if self._carried is not None and not self._carried:
            return
        pseudonym = self._pseudonyms.of(member_id)
        if self._carried is None:
            async with self._database.read() as connection:
                await self._waiting(connection)
        if self._carried is None or pseudonym not in self._carried:
            return
        async with self._database.write() as connection:
            for row in (await connection.execute(select(carried).where(carried.c.pseudonym == pseudonym))).all():
                await _put_back(connection, row, member_id, self._clock())
            await connection.execute(delete(carried).where(carried.c.pseudonym == pseudonym))
        self._carried.discard(pseudonym)

    async def _waiting(self, connection: AsyncConnection) -> set[int]:
        if self._carried is None:
            rows = await connection.execute(select(carried.c.pseudonym).distinct())
            self._carried = {row.pseudonym for row in rows}
        return self._carried


async def _put_back(connection: AsyncConnection, row: Row[Any], member_id: int, now: float) -> None:
    kept = next((each for each in REGISTER if each.table.name == row.kind), None)
    if kept is None:
        return  # a table of a former version
    values = row.row | {column.name: member_id for column in kept.about}
    keys = list(kept.table.primary_key.columns)
    here = and_(*(key == values[key.name] for key in keys))
    fresh = (await connection.execute(select(kept.table).where(here))).first()
    if fresh is None:
        await connection.execute(insert(kept.table).values(values))
    elif kept.table is members:  # they asked again before this came back: both were spent
        await connection.execute(update(members).where(here).values(_both(fresh._asdict(), values, now)))


def _both(one: Mapping[str, Any], other: Mapping[str, Any], now: float) -> dict[str, Any]:
    """What two accounts of one person in one place come to; see bot.store.accounts and generation.limits."""
    day = max(one["day"], other["day"])
    return {
        "tat": max(one["tat"], now) + max(0.0, other["tat"] - now),
        "day": day,
        "spent": sum(each["spent"] for each in (one, other) if each["day"] == day),
        "finish_tag": max(one["finish_tag"], other["finish_tag"]),
        "full_since": max(one["full_since"], other["full_since"]),
    }


def _about(member_id: int) -> list[tuple[Kept, ColumnElement[bool]]]:
    return [(kept, about(kept, member_id)) for kept in REGISTER if kept.about]
