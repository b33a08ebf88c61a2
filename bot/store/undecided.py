"""Requests whose author had everything deleted while moderators were looking at them: they go after the decision.

Otherwise whoever is reported could have the case deleted, and with it all that its ruling is carried out on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.ageing import BATCH, delete_jobs
from bot.store.anonymity import about, take_name_off
from bot.store.database import Database
from bot.store.pseudonyms import Pseudonyms
from bot.store.register import REGISTER, Kept
from bot.store.schema import audit, cases, errands, jobs

_TO_DO = select(errands.c.id).where(errands.c.case_id == cases.c.id, errands.c.done_at.is_(None)).exists()
LOOKED_AT = (  # a job with a case that is open, or whose ruling is not carried out yet
    select(cases.c.id).where(cases.c.job_id == jobs.c.id, or_(cases.c.ruling.is_(None), _TO_DO)).exists()
)
_DUE = and_(jobs.c.leaving_at.is_not(None), ~LOOKED_AT)


async def leave_later(connection: AsyncConnection, which: ColumnElement[bool], now: float) -> int:
    """Remember that these jobs go once moderators have decided; returns how many those are."""
    return (await connection.execute(update(jobs).where(which).values(leaving_at=now))).rowcount


def leaving(member_id: int) -> ColumnElement[bool]:
    """Whether a case is about a request that this person has had deleted, and that waits for a ruling."""
    theirs = select(jobs.c.id).where(jobs.c.author_id == member_id, jobs.c.leaving_at.is_not(None))
    return cases.c.job_id.in_(theirs)


async def count_decided(database: Database) -> int:
    """How many of them nobody needs any more."""
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(jobs).where(_DUE))).scalar_one())


async def forget_decided(database: Database, pseudonyms: Pseudonyms) -> int:
    """Delete those of them that nobody needs any more, and their authors' names; returns how many those were."""
    done = 0
    while True:
        async with database.write() as connection:
            rows = (await connection.execute(select(jobs.c.id, jobs.c.author_id).where(_DUE).limit(BATCH))).all()
            for author_id in {row.author_id for row in rows}:
                pseudonym = await asyncio.to_thread(pseudonyms.of, author_id)
                await _take_names_off(connection, rows, author_id, pseudonym)
            await delete_jobs(connection, [row.id for row in rows])
        done += len(rows)
        if len(rows) < BATCH:
            return done


async def _take_names_off(connection: AsyncConnection, rows: Sequence[Any], author_id: int, pseudonym: int) -> None:
    theirs = cases.c.job_id.in_([row.id for row in rows if row.author_id == author_id])
    logged = audit.c.case_id.in_(select(cases.c.id).where(theirs))
    for table, which in ((audit, logged), (cases, theirs)):
        kept = _kept(table.name)
        await take_name_off(connection, kept, and_(which, about(kept, author_id)), author_id, pseudonym)


def _kept(name: str) -> Kept:
    return next(kept for kept in REGISTER if kept.table.name == name)
