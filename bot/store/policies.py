"""Moderators' settings per guild and channel, as plain values."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from bot.store.database import Database
from bot.store.schema import policies

WHOLE_GUILD = 0  # stands for “no channel” in the policies table

Settings = Mapping[str, Any]


class Policies:
    """The policies table."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def everything(self) -> dict[tuple[int, int], Settings]:
        """All settings by guild and channel; channel 0 stands for the whole guild."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(policies))).all()
        return {(row.guild_id, row.channel_id): dict(row.policy) for row in rows}

    async def set(self, guild_id: int, channel_id: int, settings: Settings, changed_by: int) -> None:
        """Replace the settings of a guild or of one of its channels; empty ones are forgotten."""
        here = (policies.c.guild_id == guild_id) & (policies.c.channel_id == channel_id)
        values = {
            "guild_id": guild_id,
            "channel_id": channel_id,
            "policy": dict(settings),
            "changed_by": changed_by,
            "changed_at": self._clock(),
        }
        async with self._database.write() as connection:
            await connection.execute(delete(policies).where(here))
            if settings:
                await connection.execute(insert(policies).values(values))
