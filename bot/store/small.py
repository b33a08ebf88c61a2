"""The small tables: notes the house keeps for itself, and filter rules."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.schema import notes, rules


async def note(connection: AsyncConnection, key: str) -> str | None:
    """The value of `key` inside a running transaction."""
    row = (await connection.execute(select(notes.c.value).where(notes.c.key == key))).first()
    return str(row.value) if row is not None else None


async def set_note(connection: AsyncConnection, key: str, value: str) -> None:
    """Write `key` inside a running transaction."""
    changed = await connection.execute(update(notes).where(notes.c.key == key).values(value=value))
    if not changed.rowcount:
        await connection.execute(insert(notes).values(key=key, value=value))


class Notes:
    """Small facts under short keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> str | None:
        """The value of `key`, or None."""
        async with self._database.read() as connection:
            return await note(connection, key)

    async def set(self, key: str, value: str) -> None:
        """Remember `value` under `key`."""
        async with self._database.write() as connection:
            await set_note(connection, key, value)


class Rules:
    """Filter rules as moderators wrote them, per guild."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def everything(self) -> dict[int, list[str]]:
        """All rules by guild, in the order in which they were added."""
        found: dict[int, list[str]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(select(rules).order_by(rules.c.added_at, rules.c.rule)):
                found.setdefault(row.guild_id, []).append(row.rule)
        return found

    async def add(self, guild_id: int, rule: str, added_by: int) -> None:
        """Keep `rule`; adding it twice changes nothing."""
        values = {"guild_id": guild_id, "rule": rule, "added_by": added_by, "added_at": self._clock()}
        async with self._database.write() as connection:
            same = select(rules.c.rule).where(rules.c.guild_id == guild_id, rules.c.rule == rule)
            if (await connection.execute(same)).first() is None:
                await connection.execute(insert(rules).values(values))

    async def remove(self, guild_id: int, rule: str) -> bool:
        """Forget `rule`; False when it was not there."""
        async with self._database.write() as connection:
            gone = await connection.execute(delete(rules).where(rules.c.guild_id == guild_id, rules.c.rule == rule))
        return bool(gone.rowcount)
