"""The small tables: notes the house keeps for itself, and members' reports."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.schema import notes


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

    async def change(self, key: str, work: Callable[[str | None], str]) -> None:
        """Remember what `work` makes of the value of `key`; nobody else changes it meanwhile."""
        async with self._database.write() as connection:
            await set_note(connection, key, work(await note(connection, key)))
