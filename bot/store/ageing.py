"""Rows that have become too old: which ones they are, and their removal in small transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, bindparam, delete, func, null, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.sections import Privacy
from bot.store.database import Database
from bot.store.register import EVIDENCE, REGISTER, TOKENS, WORDS, Kept
from bot.store.schema import departures, jobs, pictures
from generation.job import ENDED

BATCH = 50  # rows of one transaction: a member's request waits some milliseconds for it at most
PAUSE = 0.05  # seconds between two of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of row that is due, and what is written over it; with neither, the rows are deleted."""

    what: str
    table: Table
    due: ColumnElement[bool]  # no longer true of a row once the step was done to it
    values: dict[str, Any] | None = None  # the same for every row
    each: Callable[[Row[Any]], dict[str, Any]] | None = None  # made from the row


def erased_request(told: dict[str, Any], fingerprint: str) -> dict[str, Any]:
    """What stays of a request: a valid one that says nothing but how many pictures it had, and a keyed hash."""
    blank = {"prompt": "(deleted)", "width": 64, "height": 64, "steps": 1, "guidance": 0.0, "sampler": "euler"}
    return blank | {"seed": 0, "model": "", "count": told.get("count", 1), "erased": fingerprint}


def steps(privacy: Privacy, now: float, fingerprint: Callable[[dict[str, Any]], str]) -> list[Step]:
    """Everything that may be due at `now` (epoch seconds), words before the rows that had them."""
    found = [_tokens(now)]
    if (kept := WORDS.seconds(privacy)) is not None:
        found.append(_words(now, kept, fingerprint))
    found.append(_evidence(now - (EVIDENCE.seconds(privacy) or 0.0)))
    for kept_table in REGISTER:
        seconds = kept_table.kind.seconds(privacy)
        if kept_table.since is not None and seconds is not None:
            due = and_(kept_table.since < now - seconds, _over(kept_table))
            found.append(Step(what=kept_table.kind.title, table=kept_table.table, due=due))
    found += [_orphans(kept_table) for kept_table in REGISTER if kept_table.job is not None]
    return found


def departure_steps(guild_id: int) -> list[Step]:
    """Everything that is kept of one server; its own row in the list of departures comes last."""
    what = "data of servers that the bot has left"
    found = [
        Step(what=what, table=kept.table, due=and_(kept.guild == guild_id, _over(kept)))
        for kept in REGISTER
        if kept.guild is not None
    ]
    return [*found, Step(what=what, table=departures, due=departures.c.guild_id == guild_id)]


async def departed(database: Database, privacy: Privacy, now: float) -> list[int]:
    """Servers that were left so long ago that their data goes."""
    left = departures.c.left_at < now - privacy.departed_days * 86_400
    async with database.read() as connection:
        return [row.guild_id for row in await connection.execute(select(departures.c.guild_id).where(left))]


async def count(database: Database, step: Step) -> int:
    """How many rows are due."""
    async with database.read() as connection:
        query = select(func.count()).select_from(step.table).where(step.due)
        return int((await connection.execute(query)).scalar_one())


async def take(database: Database, step: Step, pause: float = PAUSE) -> int:
    """Do the step to every row that is due; returns how many those were."""
    done = 0
    columns = step.table.c if step.each is not None else step.table.primary_key.columns
    while True:
        async with database.read() as connection:  # looking for them keeps no writer waiting
            rows = (await connection.execute(select(*columns).where(step.due).limit(BATCH))).all()
        if not rows:
            return done
        async with database.write() as connection:
            changed = await _apply(connection, step, rows)
        done += changed
        if len(rows) < BATCH or not changed:
            return done
        await asyncio.sleep(pause)


async def delete_jobs(connection: AsyncConnection, ids: list[str]) -> int:
    """Delete jobs with everything that belongs to them; returns how many rows that were."""
    gone = 0
    for kept in REGISTER:
        if kept.job is not None:
            gone += (await connection.execute(delete(kept.table).where(kept.job.in_(ids)))).rowcount
    return gone + (await connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))).rowcount


async def _apply(connection: AsyncConnection, step: Step, rows: Sequence[Row[Any]]) -> int:
    keys = list(step.table.primary_key.columns)
    if step.each is not None:
        names: dict[str, Any] = {key.name: bindparam(f"key_{key.name}") for key in keys}
        here = and_(step.due, *(key == names[key.name] for key in keys))
        values = [step.each(row) | {f"key_{key.name}": getattr(row, key.name) for key in keys} for row in rows]
        changed = update(step.table).where(here).values({name: bindparam(name) for name in step.each(rows[0])})
        await connection.execute(changed, values)  # all of them in one call: each by itself costs a millisecond
        return len(rows)
    these = and_(tuple_(*keys).in_([tuple(getattr(row, key.name) for key in keys) for row in rows]), step.due)
    if step.values is not None:
        return (await connection.execute(update(step.table).where(these).values(step.values))).rowcount
    if step.table is jobs:
        ids = [row.id for row in await connection.execute(select(jobs.c.id).where(these))]
        await delete_jobs(connection, ids)
        return len(ids)
    return (await connection.execute(delete(step.table).where(these))).rowcount


def _tokens(now: float) -> Step:
    due = and_(jobs.c.token != "", jobs.c.token_expires < now)
    return Step(what=TOKENS.title, table=jobs, due=due, values={"token": ""})


def _words(now: float, seconds: float, fingerprint: Callable[[dict[str, Any]], str]) -> Step:
    cutoff = now - seconds
    ended = or_(*(jobs.c.state == state for state in sorted(ENDED)))  # a list of them cannot be part of many updates
    unused = or_(jobs.c.used_at.is_(None), jobs.c.used_at < cutoff)
    due = and_(jobs.c.erased_at.is_(None), jobs.c.ended_at < cutoff, unused, ended)

    def each(row: Row[Any]) -> dict[str, Any]:
        rest: dict[str, Any] = {"recipe": {}, "reason": "", "role_ids": [], "press": None, "erased_at": now}
        return {"request": erased_request(row.request, fingerprint(row.request)), **rest}

    return Step(what=WORDS.title, table=jobs, due=due, each=each)


def _evidence(cutoff: float) -> Step:
    kept = or_(pictures.c.held.is_not(None), pictures.c.evidence.is_not(None))
    old = pictures.c.job_id.in_(select(jobs.c.id).where(jobs.c.accepted_at < cutoff, jobs.c.state.in_(ENDED)))
    values = {"held": null(), "evidence": null()}
    return Step(what=EVIDENCE.title, table=pictures, due=and_(kept, old), values=values)


def _orphans(kept: Kept) -> Step:
    due = ~select(jobs.c.id).where(jobs.c.id == kept.job).exists()
    return Step(what=f"{kept.table.name} of requests that are gone", table=kept.table, due=due)


def _over(kept: Kept) -> ColumnElement[bool]:
    """A job that has not ended yet is nobody's to delete but its author's."""
    return jobs.c.state.in_(ENDED) if kept.table is jobs else and_(True)
