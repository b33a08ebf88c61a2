"""Warnings and bans by guild; what a warning adds up to is decided in the transaction that gives it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.review.rules import ReviewRules
from bot.review.strikes import Ban, Strike, active, consequence, expiry, longest
from bot.store.audit import THE_BOT, Act, Entry, record
from bot.store.database import Database
from bot.store.schema import bans, strikes

Running = dict[tuple[int, int], list[Ban]]  # by guild and member


async def give_strike(
    connection: AsyncConnection, entry: Entry, rules: ReviewRules, now: float, *, log: bool = True
) -> int:
    """Warn `entry.member_id` inside a running transaction, with all that follows; returns how many warnings count."""
    assert entry.member_id is not None, "somebody is warned"
    values = {
        "guild_id": entry.guild_id or 0,
        "member_id": entry.member_id,
        "case_id": entry.case_id,
        "given_by": entry.actor_id,
        "reason": entry.reason,
        "given_at": now,
        "expires_at": expiry(now, rules),
    }
    given = await connection.execute(insert(strikes).values(values))
    if log:
        await record(connection, entry, now)
    count = active(await _strikes(connection, entry.guild_id, entry.member_id), now)
    follows = consequence(count, rules, now)
    if follows is not None:
        assert given.inserted_primary_key is not None, "a row was inserted"
        reason = f"{count} active warnings"
        values = {
            "guild_id": entry.guild_id or 0,
            "member_id": entry.member_id,
            "strike_id": given.inserted_primary_key[0],
            "given_by": THE_BOT,
            "reason": reason,
            "given_at": now,
            "until": follows.until,
        }
        await connection.execute(insert(bans).values(values))
        deed = Act.BANNED if follows.until is None else Act.PAUSED
        told = Entry(
            guild_id=entry.guild_id,
            actor_id=THE_BOT,
            action=deed,
            member_id=entry.member_id,
            case_id=entry.case_id,
            reason=reason,
        )
        await record(connection, told, now)
    return count


async def clear_strikes(connection: AsyncConnection, which: Any, now: float) -> int:
    """Take warnings back inside a running transaction, with the bans they led to; returns how many those were."""
    query = select(strikes.c.id).where(which, strikes.c.cleared_at.is_(None), strikes.c.expires_at > now)
    ids = [row.id for row in await connection.execute(query)]
    await connection.execute(update(strikes).where(strikes.c.id.in_(ids)).values(cleared_at=now))
    led_to = and_(bans.c.strike_id.in_(ids), bans.c.lifted_at.is_(None))
    await connection.execute(update(bans).where(led_to).values(lifted_at=now))
    return len(ids)


class StrikeStore:
    """The strikes and bans tables; who may not paint is kept in memory too, for every order asks."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._running: Running | None = None  # None: to be read again
        self._changes = 0

    async def open(self) -> None:
        """Read who may not paint, so that no order has to wait for it."""
        self._running = await self._read_running()

    def changed(self) -> None:
        """The tables were changed by somebody else: what is in memory holds no longer."""
        self._changes += 1
        self._running = None

    async def warn(self, entry: Entry, rules: ReviewRules) -> int:
        """Warn a member; returns how many of their warnings count now."""
        async with self._database.write() as connection:
            count = await give_strike(connection, entry, rules, self._clock())
        self.changed()
        return count

    async def clear(self, entry: Entry) -> int:
        """Take all active warnings of `entry.member_id` back, with the bans they led to; returns how many."""
        now = self._clock()
        theirs = and_(strikes.c.guild_id == (entry.guild_id or 0), strikes.c.member_id == entry.member_id)
        async with self._database.write() as connection:
            count = await clear_strikes(connection, theirs, now)
            if count:
                await record(connection, entry, now)
        self.changed()
        return count

    async def ban(self, entry: Entry, until: float | None) -> None:
        """Keep `entry.member_id` from painting until epoch seconds `until`, or until it is lifted."""
        now = self._clock()
        values = {
            "guild_id": entry.guild_id or 0,
            "member_id": entry.member_id,
            "given_by": entry.actor_id,
            "reason": entry.reason,
            "given_at": now,
            "until": until,
        }
        async with self._database.write() as connection:
            await connection.execute(insert(bans).values(values))
            await record(connection, entry, now)
        self.changed()

    async def unban(self, entry: Entry) -> bool:
        """Lift every ban and pause of `entry.member_id`; False when there was none."""
        now = self._clock()
        theirs = and_(bans.c.guild_id == (entry.guild_id or 0), bans.c.member_id == entry.member_id)
        running = and_(bans.c.lifted_at.is_(None), or_(bans.c.until.is_(None), bans.c.until > now))
        async with self._database.write() as connection:
            lifted = await connection.execute(update(bans).where(theirs, running).values(lifted_at=now))
            if lifted.rowcount:
                await record(connection, entry, now)
        self.changed()
        return bool(lifted.rowcount)

    async def of(self, guild_id: int | None, member_id: int) -> list[Strike]:
        """Every warning of a member, newest first."""
        async with self._database.read() as connection:
            return await _strikes(connection, guild_id, member_id)

    async def active_in(self, guild_id: int) -> dict[int, list[Strike]]:
        """The warnings that count now in a guild, by member; whoever was warned last comes first."""
        counting = and_(
            strikes.c.guild_id == guild_id, strikes.c.cleared_at.is_(None), strikes.c.expires_at > self._clock()
        )
        found: dict[int, list[Strike]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(select(strikes).where(counting).order_by(strikes.c.id.desc())):
                found.setdefault(row.member_id, []).append(_strike(row))
        return found

    async def bans_in(self, guild_id: int) -> dict[int, Ban]:
        """What keeps members of a guild from painting now, by member."""
        running = self._running if self._running is not None else await self._read_running()
        held = {member: longest(each, self._clock()) for (guild, member), each in running.items() if guild == guild_id}
        return {member: ban for member, ban in held.items() if ban is not None}

    async def ban_of(self, guild_id: int | None, member_id: int) -> Ban | None:
        """What keeps a member from painting now."""
        running = self._running if self._running is not None else await self._read_running()
        return longest(running.get((guild_id or 0, member_id), ()), self._clock())

    async def _read_running(self) -> Running:
        before, found = self._changes, Running()
        unlifted = select(bans).where(
            bans.c.lifted_at.is_(None), or_(bans.c.until.is_(None), bans.c.until > self._clock())
        )
        async with self._database.read() as connection:
            for row in await connection.execute(unlifted):
                found.setdefault((row.guild_id, row.member_id), []).append(_ban(row))
        if before == self._changes:  # else somebody changed them meanwhile, and the next one reads again
            self._running = found
        return found


async def _strikes(connection: AsyncConnection, guild_id: int | None, member_id: int) -> list[Strike]:
    theirs = and_(strikes.c.guild_id == (guild_id or 0), strikes.c.member_id == member_id)
    rows = (await connection.execute(select(strikes).where(theirs).order_by(strikes.c.id.desc()))).all()
    return [_strike(row) for row in rows]


def _strike(row: Row[Any]) -> Strike:
    return Strike(
        id=row.id,
        case_id=row.case_id,
        given_by=row.given_by,
        reason=row.reason,
        given_at=row.given_at,
        expires_at=row.expires_at,
        cleared_at=row.cleared_at,
    )


def _ban(row: Row[Any]) -> Ban:
    return Ban(
        id=row.id,
        given_by=row.given_by,
        reason=row.reason,
        given_at=row.given_at,
        until=row.until,
        lifted_at=row.lifted_at,
    )
