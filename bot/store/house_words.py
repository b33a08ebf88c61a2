"""What the owner says to everybody: a pause of the whole house and a notice, each with its line in the audit log."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, select

from bot.store.audit import Act, Entry, record
from bot.store.database import Database
from bot.store.schema import notes
from bot.store.small import set_note

PREFIX = "said:"  # of the notes' keys


class HouseWords:
    """A few notes under short names."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def everything(self) -> dict[str, str]:
        """All words by their names."""
        query = select(notes).where(notes.c.key.startswith(PREFIX))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {row.key.removeprefix(PREFIX): row.value for row in rows}

    async def set(self, name: str, value: str | None, act: Act, by: int, reason: str = "") -> None:
        """Remember `value`, None for nothing any more, and who did it why."""
        async with self._database.write() as connection:
            if value is None:
                await connection.execute(delete(notes).where(notes.c.key == PREFIX + name))
            else:
                await set_note(connection, PREFIX + name, value)
            await record(connection, Entry(guild_id=None, actor_id=by, action=act, reason=reason), self._clock())
