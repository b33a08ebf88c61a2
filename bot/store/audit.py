"""The audit log: who did what to whom, when and why. Rows are added and read; nothing here changes or removes one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.bulletin import News, tell
from bot.store.database import Database
from bot.store.schema import audit

THE_BOT = 0  # as an actor
MOST = 10_000  # entries of one export


class Act(StrEnum):
    """What can stand in the log beside the rulings of bot.review.case."""

    OPENED = "opened"
    REPORTED = "reported"
    HIDDEN = "hidden"
    APPEALED = "appealed"
    WARNED = "warned"
    CLEARED = "cleared"
    PAUSED = "paused"
    BANNED = "banned"
    UNBANNED = "unbanned"
    SETTINGS = "settings"  # of reviews
    POLICY = "policy"
    RULE_ADDED = "rule added"
    RULE_REMOVED = "rule removed"
    EXEMPTED = "exempted"
    BOUND = "bound again"
    ARTIST_ADDED = "artist added"
    ARTIST_REMOVED = "artist removed"
    ARTIST_ACCEPTED = "artist accepted"
    ARTIST_DECLINED = "artist declined"
    CANCELLED = "cancelled"
    HOUSE_PAUSED = "house paused"
    HOUSE_RESUMED = "house resumed"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log."""

    guild_id: int | None  # None: direct messages
    actor_id: int
    action: str
    member_id: int | None = None  # on whom
    case_id: int | None = None
    reason: str = ""
    at: float = 0.0  # epoch seconds


async def record(connection: AsyncConnection, entry: Entry, now: float) -> None:
    """Add a line inside a running transaction, so that no deed is committed without it."""
    values = {
        "at": now,
        "guild_id": entry.guild_id or 0,
        "actor_id": entry.actor_id,
        "action": entry.action,
        "member_id": entry.member_id,
        "case_id": entry.case_id,
        "reason": entry.reason,
    }
    await connection.execute(insert(audit).values(values))
    await connection.run_sync(tell, News.DECIDED)


async def record_change(
    connection: AsyncConnection, guild_id: int, actor_id: int, action: Act, reason: str, now: float
) -> None:
    """As above, for what was changed of a guild's own rules and settings."""
    await record(connection, Entry(guild_id=guild_id, actor_id=actor_id, action=action, reason=reason), now)


class Audit:
    """The audit table."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def add(self, entry: Entry) -> None:
        """Add a line of its own."""
        async with self._database.write() as connection:
            await record(connection, entry, self._clock())

    async def last(self) -> int:
        """The number of the newest line; 0 when there is none."""
        async with self._database.read() as connection:
            return int((await connection.execute(select(func.max(audit.c.id)))).scalar_one() or 0)

    async def acts_since(self, number: int) -> tuple[set[str], int]:
        """What was done after the line `number`, and the number of the newest line."""
        query = select(audit.c.id, audit.c.action).where(audit.c.id > number)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {row.action for row in rows}, max((row.id for row in rows), default=number)

    async def entries(
        self,
        guild_id: int | None,
        *,
        member_id: int | None = None,
        actor_id: int | None = None,
        limit: int = MOST,
        offset: int = 0,
    ) -> list[Entry]:
        """The newest lines of a guild, newest first; about one member or by one moderator when given."""
        query = select(audit).where(audit.c.guild_id == (guild_id or 0)).order_by(audit.c.id.desc())
        query = query.limit(limit).offset(offset)
        if member_id is not None:
            query = query.where(audit.c.member_id == member_id)
        if actor_id is not None:
            query = query.where(audit.c.actor_id == actor_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Entry(
                guild_id=row.guild_id or None,
                actor_id=row.actor_id,
                action=row.action,
                member_id=row.member_id,
                case_id=row.case_id,
                reason=row.reason,
                at=row.at,
            )
            for row in rows
        ]
