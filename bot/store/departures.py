"""In which servers the bot is, and since when it is not any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database
from bot.store.schema import departures


class Departures:
    """The departures table."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def here(self, guild_id: int) -> None:
        """The bot is in this server, for the first time or again."""
        async with self._database.write() as connection:
            known = await _known(connection)
            if known.get(guild_id, 0.0) is not None:
                await _mark(connection, guild_id, None, known)

    async def left(self, guild_id: int) -> None:
        """The bot was removed from this server."""
        async with self._database.write() as connection:
            known = await _known(connection)
            if known.get(guild_id) is None:
                await _mark(connection, guild_id, self._clock(), known)

    async def compare(self, present: Collection[int]) -> list[int]:
        """The bot is in exactly these servers, whatever was missed; returns those found to have been left.

        Only servers that it was seen in can be left: one where a person brought the bot along for themselves is none.
        """
        async with self._database.write() as connection:
            known = await _known(connection)
            gone = sorted(
                guild_id for guild_id, left_at in known.items() if left_at is None and guild_id not in present
            )
            for guild_id in gone:
                await _mark(connection, guild_id, self._clock(), known)
            for guild_id in present:
                if known.get(guild_id, 0.0) is not None:
                    await _mark(connection, guild_id, None, known)
        return gone


async def _known(connection: AsyncConnection) -> dict[int, float | None]:
    return {row.guild_id: row.left_at for row in await connection.execute(select(departures))}


async def _mark(connection: AsyncConnection, guild_id: int, left_at: float | None, known: Collection[int]) -> None:
    if guild_id in known:
        here = update(departures).where(departures.c.guild_id == guild_id)
        await connection.execute(here.values(left_at=left_at))
    else:
        await connection.execute(insert(departures).values(guild_id=guild_id, left_at=left_at))
