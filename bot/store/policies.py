"""Moderators' settings per guild and channel, as plain values."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from bot.moderation.changes import REVIEW, settings_words
from bot.store.audit import Act, record_change
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
            row = (await connection.execute(select(policies.c.policy).where(here))).first()
            before = dict(row.policy) if row is not None else {}
            await connection.execute(delete(policies).where(here))
            if settings:
                await connection.execute(insert(policies).values(values))
            if told := settings_words(before, settings, channel_id):
                act = Act.POLICY if _without_review(before) != _without_review(settings) else Act.SETTINGS
                await record_change(connection, guild_id, changed_by, act, told, self._clock())


def _without_review(settings: Settings) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != REVIEW}
