"""Every server's policy, kept in memory so that looking one up never waits; changes are stored first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.moderation.policy import Policy
from bot.order import Place
from bot.store.policies import WHOLE_GUILD, Policies, Settings


class PolicyBook:
    """Settings by guild and channel."""

    def __init__(self, store: Policies) -> None:
        self._store = store
        self._settings: dict[tuple[int, int], Settings] = {}
        self._changing = asyncio.Lock()

    async def open(self) -> None:
        """Load everything that is stored."""
        self._settings = await self._store.everything()

    async def read_again(self) -> None:
        """Another process may have changed something."""
        async with self._changing:
            await self.open()

    def of(self, place: Place) -> Policy:
        """The policy where something is asked: the guild's, then the channel's; in a thread its channel's as well."""
        guild_id = place.guild_id or 0
        # Ids rise with time: a channel is older than its threads, whose own settings count last.
        channels = (self.settings(guild_id, channel_id) for channel_id in sorted(place.channel_ids))
        return Policy.of(self.settings(guild_id), *channels)

    def settings(self, guild_id: int, channel_id: int = WHOLE_GUILD) -> Settings:
        """What was set for a guild or for one of its channels, and nothing else."""
        return self._settings.get((guild_id, channel_id), {})

    def channels(self, guild_id: int) -> list[int]:
        """The channels that have settings of their own."""
        return sorted(channel for guild, channel in self._settings if guild == guild_id and channel != WHOLE_GUILD)

    def guilds(self) -> list[int]:
        """The guilds that have settings of their own."""
        return [guild for guild, channel in self._settings if channel == WHOLE_GUILD]

    async def change(
        self, guild_id: int, changes: Mapping[str, Any], by: int, *, channel_id: int = WHOLE_GUILD
    ) -> Settings:
        """Change some settings, a value of None takes one back; returns all that are set there now."""
        async with self._changing:
            changed = {**self.settings(guild_id, channel_id), **changes}
            changed = {name: value for name, value in changed.items() if value is not None}
            await self._store.set(guild_id, channel_id, changed, by)
            self._settings[guild_id, channel_id] = changed
            if not changed:
                del self._settings[guild_id, channel_id]
        return changed
