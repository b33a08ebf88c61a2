"""What members have chosen for themselves; who has chosen nothing has no row."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, insert, select, update

from bot.store.database import Database
from bot.store.schema import preferences


class Preferences:
    """The preferences table."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def embeds_prompt(self, member_id: int) -> bool:
        """Whether the member wants the prompt inside their picture files; no, unless they said so."""
        wish = select(preferences.c.embed_prompt).where(preferences.c.member_id == member_id)
        async with self._database.read() as connection:
            return bool((await connection.execute(wish)).scalar_one_or_none())

    async def set_embed_prompt(self, member_id: int, wanted: bool) -> None:
        """Remember the member's choice."""
        values = {"embed_prompt": wanted, "changed_at": self._clock()}
        here = preferences.c.member_id == member_id
        async with self._database.write() as connection:
            changed = await connection.execute(update(preferences).where(here).values(values))
            if not changed.rowcount:
                await connection.execute(insert(preferences).values(member_id=member_id, **values))

    async def forget(self, member_id: int) -> None:
        """Back to having chosen nothing."""
        async with self._database.write() as connection:
            await connection.execute(delete(preferences).where(preferences.c.member_id == member_id))
