"""The review settings of every guild, as its moderators chose them over the defaults of config.yaml."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

from bot.order import Commission
from bot.review.case import Case
from bot.review.rules import ReviewRules
from bot.sections import Moderation
from bot.store.small import Notes


class GuildRules:
    """The settings of every guild: what its moderators chose, over the defaults of config.yaml."""

    def __init__(self, notes: Notes, defaults: Moderation) -> None:
        self._notes = notes
        self._defaults = ReviewRules(
            report_threshold=defaults.report_threshold,
            strike_days=defaults.strike_days,
            pause_at=defaults.pause_at,
            pause_hours=defaults.pause_hours,
            ban_at=defaults.ban_at,
        )
        self._owner_channel = defaults.owner_channel or None

    async def rules_for(self, guild_id: int | None) -> ReviewRules:
        """What holds in a guild; outside of guilds the owner's channel takes the place of the moderators'."""
        if guild_id is None:
            return replace(self._defaults, channel=self._owner_channel)
        return replace(self._defaults, **await self._chosen(guild_id))

    async def of_case(self, case: Case, commission: Commission) -> ReviewRules:
        """What holds for a case; where the bot is a guest its owner's channel stands in for the moderators' one."""
        rules = await self.rules_for(case.guild_id)
        if rules.channel is None and not commission.address.channel_reachable:
            return replace(rules, channel=self._owner_channel)
        return rules

    async def change(self, guild_id: int, **changes: Any) -> ReviewRules:
        """Remember what moderators chose."""
        chosen = {**await self._chosen(guild_id), **changes}
        await self._notes.set(_key(guild_id), json.dumps(chosen))
        return replace(self._defaults, **chosen)

    async def _chosen(self, guild_id: int) -> dict[str, Any]:
        known = {field.name for field in fields(ReviewRules)}
        stored = json.loads(await self._notes.get(_key(guild_id)) or "{}")
        return {name: value for name, value in stored.items() if name in known}


def _key(guild_id: int) -> str:
    return f"review:{guild_id}"
